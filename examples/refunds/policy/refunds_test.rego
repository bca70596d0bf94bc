package refunds_test

import data.pdp

friday := "2026-01-02T23:30:00+01:00"

decision(subject, properties, at) := decision_after(3, subject, properties, at)

# The tests bring their closed days, so they pass whatever `data.json` says today.
decision_after(days, subject, properties, at) := answer if {
	answer := pdp.decision with input as {
		"subject": {"type": "agent", "id": subject, "properties": {}},
		"on_behalf_of": [],
		"action": {"name": "refund", "properties": {}},
		"resource": {"type": "order", "id": "4711", "properties": properties},
		"context": {"days_since_delivery": days},
		"caller": {"identity": "agent:dev", "kind": "workload", "groups": []},
		"now": time.parse_rfc3339_ns(at),
	}
		with data.refunds.closed as ["Saturday", "Sunday"]
}

on_friday(amount) := decision("refund-bot", {"amount": amount}, friday)

reviewers(answer) := [{"of": entry.reviewers.groups, "count": entry.count} | some entry in answer.requirements]

test_small_amounts_pass if {
	every amount in [0.01, 99, 100] {
		on_friday(amount).effect == "ALLOW"
	}
}

test_more_needs_a_manager if {
	every amount in [100.01, 101, 10000] {
		answer := on_friday(amount)
		answer.effect == "NEEDS_APPROVAL"
		reviewers(answer) == [{"of": ["managers"], "count": 1}]
	}
}

test_over_ten_thousand_needs_two_of_finance if {
	every amount in [10000.01, 250000] {
		answer := on_friday(amount)
		answer.effect == "NEEDS_APPROVAL"
		reviewers(answer) == [{"of": ["finance"], "count": 2}]
	}
}

test_long_after_the_delivery_a_manager_is_asked if {
	reviewers(decision_after(31, "refund-bot", {"amount": 5}, friday)) == [{"of": ["managers"], "count": 1}]
	decision_after(30, "refund-bot", {"amount": 5}, friday).effect == "ALLOW"
}

test_without_an_amount_nothing_is_refunded if decision("refund-bot", {}, friday).effect == "DENY"

test_others_do_not_refund if decision("chat-bot", {"amount": 5}, friday).reasons[0].rule == "refunds.desk"

test_weekends_are_those_of_the_time_zone if {
	closed := {at |
		some at in [
			"2026-01-02T23:59:59+01:00", # still Friday in Berlin
			"2026-01-02T23:00:00Z", # Saturday in Berlin, Friday in London
			"2026-01-03T12:00:00Z",
			"2026-01-04T22:59:59Z", # the last second of Sunday in Berlin
			"2026-01-04T23:00:00Z", # Monday in Berlin, Sunday in London
			"2026-07-03T22:00:00Z", # Saturday in Berlin: in summer its clock is two hours ahead
		]
		decision("refund-bot", {"amount": 5}, at).effect == "DENY"
	}
	closed == {"2026-01-02T23:00:00Z", "2026-01-03T12:00:00Z", "2026-01-04T22:59:59Z", "2026-07-03T22:00:00Z"}
}

test_weekend_is_named if {
	answer := decision("refund-bot", {"amount": 5}, "2026-01-03T12:00:00Z")
	answer.reasons == [{"rule": "refunds.closed", "reason": "there are no refunds on a Saturday"}]
}
