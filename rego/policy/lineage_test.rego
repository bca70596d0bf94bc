package policy_test

import data.pdp
import data.policy

unclassified := {"actions": ["export", "share"], "asks_from": "2027-01-01T00:00:00Z"}

from_then_on := time.parse_rfc3339_ns(unclassified.asks_from)

asks(action, now, tags) if asks_by(unclassified, action, now, tags)

asks_by(declared, action, now, tags) if {
	some entry in policy.needs_approval with data.unclassified as declared
		with input as {
			"action": {"name": action},
			"resource": {"type": "table", "id": "weather"},
			"now": now,
			"lineage": {"state": "KNOWN", "tags": tags},
		}
	entry.rule == "lineage.unclassified"
}

test_unclassified_data_needs_approval_from_then_on if {
	asks("export", from_then_on, ["unclassified"])
	not asks("export", from_then_on - 1, ["unclassified"])
	not asks("read", from_then_on, ["unclassified"])
	not asks("export", from_then_on, ["public"])
}

test_data_switches_it_on if {
	not asks_by(data.unclassified, "export", from_then_on, ["unclassified"])
	data.unclassified.actions == []
}

masks_of(column) := [entry.rule | some entry in answer.columns[column.name]] if {
	answer := pdp.masks with input as {
		"request": {
			"subject": {"type": "agent", "id": "report-bot"},
			"on_behalf_of": [],
			"action": {"name": "mask"},
			"resource": {"type": "table", "id": "mart.leads", "properties": {}},
		},
		"caller": {"identity": "agent:report-bot", "kind": "workload", "groups": []},
		"now": 0,
		"lineage": {"state": "KNOWN", "tags": ["contact"]},
		"columns": [column],
	}
}

test_contact_data_is_masked_where_lineage_says_it_went if {
	column := {"name": "mail", "type": "string", "leaf": true, "above": [], "also": []}
	masks_of(object.union(column, {"tagged": {"mail": ["contact"]}})) == ["lineage.contact"]
	masks_of(object.union(column, {"tagged": {"mail": ["contact:masked"]}})) == []
	masks_of(column) == []
}

removal(person, action, sources) := answer if {
	answer := pdp.decision with input as {
		"subject": {"type": "user", "id": person, "properties": {}},
		"on_behalf_of": [],
		"action": {"name": action, "properties": {}},
		"resource": {"type": "dataset", "id": "s3://lake/leads", "properties": {}},
		"context": {"column": "email", "tag": "pii", "sources": sources, "revision": 7},
		"caller": {"identity": concat(":", ["user", person]), "kind": "person", "groups": []},
		"now": 0,
		"lineage": {"state": "KNOWN", "tags": []},
	}
}

test_second_steward_looks_at_what_a_person_said if {
	every sources in [["PERSON"], ["EVENT", "PERSON"], ["SUGGESTION"], []] {
		answer := removal("bob", "lineage.untag", sources)
		answer.effect == "NEEDS_APPROVAL"
		[asked.rule | some asked in answer.requirements] == ["lineage.second_steward"]
	}
	removal("bob", "lineage.untag", ["EVENT"]).effect == "ALLOW"
}

test_second_steward_looks_at_every_other_removal if {
	every action in data.removals {
		removal("bob", action, null).effect == "NEEDS_APPROVAL"
	}
	removal("bob", "lineage.declassify", ["EVENT"]).effect == "NEEDS_APPROVAL"
}

test_nobody_but_a_steward_takes_anything_away if {
	every action in data.removals {
		removal("alice", action, ["EVENT"]).effect == "DENY"
	}
}

read_of(person, tags) := answer if {
	answer := pdp.decision.effect with input as {
		"subject": {"type": "user", "id": person, "properties": {}},
		"on_behalf_of": [],
		"action": {"name": "lineage.read", "properties": {}},
		"resource": {"type": "dataset", "id": "s3://lake/leads", "properties": {}},
		"context": {},
		"caller": {"identity": concat(":", ["user", person]), "kind": "person", "groups": []},
		"now": 0,
		"lineage": {"state": "KNOWN", "tags": tags},
	}
}

test_lineage_is_read_by_those_who_may_read_the_data if {
	read_of("alice", ["pii"]) == "ALLOW"
	read_of("alice", ["restricted"]) == "DENY"
	read_of("eve", []) == "DENY"
}
