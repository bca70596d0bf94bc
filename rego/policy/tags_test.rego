package tags_test

import data.pdp

bot := {"type": "agent", "id": "report-bot", "properties": {}}

alice := {"type": "user", "id": "alice", "properties": {}}

request(subject, action, properties) := {
	"subject": subject,
	"on_behalf_of": [alice],
	"action": {"name": action, "properties": {}},
	"resource": {"type": "table", "id": "customers", "properties": properties},
	"context": {},
	"caller": {"identity": concat(":", [subject.type, subject.id]), "kind": "workload", "groups": []},
	"now": 0,
}

stewards := {"groups": ["data-stewards"]}

test_export_of_personal_data_needs_two_stewards if {
	answer := pdp.decision with input as request(bot, "export", {"tags": ["pii"]})
	answer.effect == "NEEDS_APPROVAL"
	answer.requirements == [{
		"rule": "tags.pii.export",
		"reason": "export of data tagged pii",
		"reviewers": stewards,
		"count": 2,
		"pending_for": "4h",
		"valid_for": "15m",
	}]
	answer.requester_principals == {"agent:report-bot", "user:alice"}
	answer.owners == ["user:alice"]
}

test_sharing_of_personal_data_is_looked_at_by_itself if {
	answer := pdp.decision with input as request({"type": "user", "id": "alice", "properties": {}}, "share", {"tags": ["pii"]})
	[asked.individual | some asked in answer.requirements] == [true]
}

test_requirement_may_ask_for_claims_of_the_token if {
	asked := {"reviewers": {"claims": {"department": "finance", "level": 3}}, "count": 2}
	answer := pdp.decision with data.requirements as {"payroll": {"export": asked}}
		with input as request(bot, "export", {"tags": ["payroll"]})
	[{name: entry[name] | some name in ["reviewers", "count"]} | some entry in answer.requirements] == [asked]
}

test_reading_personal_data_needs_nobody if {
	pdp.decision.effect == "ALLOW" with input as request(bot, "read", {"tags": ["pii"]})
}

test_export_of_other_data_needs_nobody if {
	weather := {"type": "table", "id": "weather", "properties": {}}
	pdp.decision.effect == "ALLOW" with input as object.union(request(bot, "export", {}), {"resource": weather})
}

# The caller's word only adds: the tags of `customers` are in `data.table_tags`.
test_what_the_caller_says_takes_no_tag_away if {
	every sent in [{}, {"tags": []}, {"tags": ["PII"]}, {"tags": ["public"]}] {
		answer := pdp.decision with input as request(bot, "export", sent)
		[asked.rule | some asked in answer.requirements] == ["tags.pii.export"]
	}
}

test_unknown_table_is_exported_as_a_personal_one if {
	staging := {"type": "table", "id": "staging.copy", "properties": {}}
	answer := pdp.decision with input as object.union(request(bot, "export", {}), {"resource": staging})
	[asked.rule | some asked in answer.requirements] == ["tags.pii.export"]
	pdp.decision.effect == "ALLOW" with input as object.union(request(bot, "read", {}), {"resource": staging})
}

test_every_tag_adds_its_requirement if {
	wanted := {"pii": {"export": {"reviewers": stewards}}, "hr": {"export": {"reviewers": {"groups": ["hr"]}}}}
	answer := pdp.decision with data.requirements as wanted
		with input as request(bot, "export", {"tags": ["pii", "hr"]})
	[asked.rule | some asked in answer.requirements] == ["tags.hr.export", "tags.pii.export"]
}

test_misspelt_key_of_a_requirement_is_not_dropped if {
	answer := pdp.decision with data.requirements as {"pii": {"export": {"reviewers": stewards, "cuont": 2}}}
		with input as request(bot, "export", {"tags": ["pii"]})
	answer.requirements[0].cuont == 2
}

payroll(subject, on_behalf_of) := object.union(request(subject, "read", {}), {
	"on_behalf_of": on_behalf_of,
	"resource": {"type": "table", "id": "payroll", "properties": {}},
})

bob := {"type": "user", "id": "bob", "properties": {}}

test_uncleared_party_is_denied_and_named if {
	answer := pdp.decision with input as payroll(bob, [alice])
	answer.effect == "DENY"
	answer.reasons == [{
		"rule": "tags.clearance",
		"reason": "user:alice is not cleared for data tagged restricted",
	}]
}

test_cleared_parties_are_not if pdp.decision.effect == "ALLOW" with input as payroll(bob, [])
