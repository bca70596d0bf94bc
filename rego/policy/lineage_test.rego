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
