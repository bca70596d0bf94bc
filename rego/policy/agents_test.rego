package agents_test

import data.pdp

bot := {"type": "agent", "id": "report-bot", "properties": {}}

developer := {"type": "user", "id": "dev", "properties": {}}

decision(subject, on_behalf_of) := answer if {
	answer := pdp.decision with input as {
		"subject": subject,
		"on_behalf_of": on_behalf_of,
		"action": {"name": "drop", "properties": {}},
		"resource": {"type": "table", "id": "customers", "properties": {}},
		"context": {},
		"caller": {"identity": concat(":", [subject.type, subject.id]), "kind": "workload", "groups": []},
		"now": 0,
	}
}

test_agent_never_drops_a_table if {
	some party in [[], [developer]]
	answer := decision(bot, party)
	answer.effect == "DENY"
	answer.reasons == [{
		"rule": "agents.destructive",
		"reason": "agents never drop a table; ask a person to do it",
	}]
}

test_agent_behind_a_person_counts if decision(developer, [bot]).effect == "DENY"

test_person_with_the_role_may if decision(developer, []).effect == "ALLOW"
