package refunds_test

import data.pdp

decision(euros) := answer if {
	answer := pdp.decision with input as {
		"subject": {"type": "agent", "id": "dev", "properties": {}},
		"on_behalf_of": [],
		"action": {"name": "refund", "properties": {}},
		"resource": {"type": "order", "id": "A-17", "properties": {}},
		"context": {"euros": euros},
		"caller": {"identity": "agent:dev", "kind": "workload", "groups": []},
		"now": 0,
	}
}

test_small_refund_is_allowed if decision(49).effect == "ALLOW"

test_large_refund_needs_two_of_finance_who_may_answer_in_slack if {
	answer := decision(50)
	answer.effect == "NEEDS_APPROVAL"
	[[entry.count, entry.channels] | some entry in answer.requirements] == [[2, ["api", "web", "slack"]]]
}
