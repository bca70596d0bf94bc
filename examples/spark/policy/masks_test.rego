package masks_test

import data.pdp

decision(subject, action, changes) := answer if {
	[kind, id] := split(subject, ":")
	asked := {
		"subject": {"type": kind, "id": id, "properties": {}},
		"on_behalf_of": [],
		"action": {"name": action, "properties": {}},
		"resource": {"type": "table", "id": "lake/spending", "properties": {}},
		"context": {},
		"caller": {"identity": subject, "kind": {"user": "person", "agent": "workload"}[kind], "groups": []},
		"lineage": {"state": "KNOWN", "tags": ["pii"]},
		"now": 0,
	}
	answer := pdp.decision with input as object.union(asked, changes)
}

for_alice := {"on_behalf_of": [{"type": "user", "id": "alice", "properties": {}}]}

masks(table, names) := found if {
	found := pdp.masks.columns with input as {
		"request": {
			"subject": {"type": "user", "id": "alice", "properties": {}},
			"on_behalf_of": [],
			"action": {"name": "mask", "properties": {}},
			"resource": {"type": "table", "id": table, "properties": {}},
			"context": {},
		},
		"caller": {"identity": "user:alice", "kind": "person", "groups": []},
		"now": 0,
		"columns": [column |
			some name in names
			column := {"name": name, "type": "string", "leaf": true, "above": []}
		],
	}
}

test_every_column_has_one_mask if {
	tables := {"lake/spending": ["email", "name", "city", "spent"], "shop.newsletter": ["email", "topic"]}
	every table, names in tables {
		found := masks(table, names)
		every name in names {
			count(found[name]) == 1
		}
	}
	masks("hr.people", ["email"]) == {"email": []}
}

test_analysts_mask_and_others_do_not if {
	decision("user:alice", "mask", {}).effect == "ALLOW"
	decision("user:dana", "mask", {}).effect == "DENY"
	decision("user:alice", "mask", {"resource": {"id": "hr.people"}}).effect == "DENY"
}

test_agents_ask_the_privacy_team_for_personal_data if {
	answer := decision("agent:report-bot", "mask", for_alice)
	answer.effect == "NEEDS_APPROVAL"
	answer.requirements[0].reviewers == {"groups": ["privacy-team"]}
	decision("agent:report-bot", "mask", object.union(for_alice, {"lineage": {"tags": ["unclassified"]}})).effect == "NEEDS_APPROVAL"
	decision("agent:report-bot", "mask", object.union(for_alice, {"lineage": {"tags": ["pii:masked"]}})).effect == "ALLOW"
	decision("agent:report-bot", "mask", {}).effect == "DENY"
}

test_unmasking_asks_the_privacy_team if {
	decision("user:alice", "unmask", {"context": {"domains": ["shop.email"]}}).effect == "NEEDS_APPROVAL"
	decision("user:alice", "unmask", {"context": {"domains": ["hr.person"]}}).effect == "DENY"
	decision("user:dana", "unmask", {"context": {"domains": ["shop.email"]}}).effect == "DENY"
}

test_stewards_end_a_tag if {
	decision("user:bob", "lineage.declassify", {}).effect == "ALLOW"
	decision("user:alice", "lineage.declassify", {}).effect == "DENY"
}
