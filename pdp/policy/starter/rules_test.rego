package rules_test

import data.pdp

decision(subject, action) := asked(subject, action, {})

asked(subject, action, context) := answer if {
	answer := pdp.decision with input as {
		"subject": {"type": subject, "id": "tried", "properties": {}},
		"on_behalf_of": [],
		"action": {"name": action, "properties": {}},
		"resource": {"type": "table", "id": "orders", "properties": {}},
		"context": context,
		"caller": {"identity": "user:tried", "kind": "person", "groups": []},
		"now": 0,
	}
}

test_everybody_reads if {
	every subject in ["user", "agent"] {
		decision(subject, "read").effect == "ALLOW"
	}
}

test_changes_need_a_reviewer if {
	answer := decision("agent", "write")
	answer.effect == "NEEDS_APPROVAL"
	answer.requirements[0].reviewers.groups == ["reviewers"]
}

test_agents_do_not_delete if {
	decision("agent", "delete").effect == "DENY"
	decision("user", "delete").effect == "NEEDS_APPROVAL"
}

test_small_exports_pass_and_larger_ones_need_a_reviewer if {
	asked("agent", "export", {"rows": 1000}).effect == "ALLOW"
	asked("agent", "export", {"rows": 1001}).effect == "NEEDS_APPROVAL"
}

test_what_no_rule_names_is_denied if decision("user", "drop").effect == "DENY"

test_addresses_leave_as_tokens if {
	columns := [column |
		some name in ["order", "email"]
		column := {"name": name, "type": "string", "leaf": true, "above": []}
	]
	found := pdp.masks.columns with input as {
		"request": {
			"subject": {"type": "agent", "id": "tried", "properties": {}},
			"on_behalf_of": [],
			"action": {"name": "mask", "properties": {}},
			"resource": {"type": "table", "id": "orders", "properties": {}},
			"context": {},
		},
		"caller": {"identity": "agent:tried", "kind": "workload", "groups": []},
		"now": 0,
		"columns": columns,
	}
	{name: entry.rule | some name, entries in found; some entry in entries} == {
		"order": "rules.clear",
		"email": "rules.email",
	}
}
