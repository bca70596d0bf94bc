package roles_test

import data.pdp

alice := {"type": "user", "id": "alice", "properties": {}}

bot := {"type": "agent", "id": "report-bot", "properties": {}}

effect(subject, on_behalf_of, action) := answer if {
	answer := pdp.decision.effect with input as {
		"subject": subject,
		"on_behalf_of": on_behalf_of,
		"action": {"name": action, "properties": {}},
		"resource": {"type": "table", "id": "weather", "properties": {}},
		"context": {},
		"caller": {"identity": concat(":", [subject.type, subject.id]), "kind": "person", "groups": []},
		"now": 0,
	}
}

test_role_allows_its_actions if effect(alice, [], "read") == "ALLOW"

test_role_allows_nothing_else if effect(alice, [], "write") == "DENY"

test_agent_reads_for_a_person_who_may if effect(bot, [alice], "read") == "ALLOW"

test_agent_gains_nothing_from_a_person_who_may_more if effect(bot, [alice], "share") == "DENY"

test_person_gains_nothing_from_an_agent_who_may_more if {
	effect(bot, [], "export") == "ALLOW"
	effect(bot, [{"type": "user", "id": "dana", "properties": {}}], "export") == "DENY"
}

test_unknown_subject_is_denied if effect({"type": "user", "id": "eve", "properties": {}}, [], "read") == "DENY"

test_unknown_principal_is_denied if {
	effect(bot, [{"type": "user", "id": "eve", "properties": {}}], "read") == "DENY"
}

test_same_id_of_another_type_is_somebody_else if {
	effect({"type": "agent", "id": "alice", "properties": {}}, [], "read") == "DENY"
}
