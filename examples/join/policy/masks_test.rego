package masks_test

import data.pdp

request(subject, action, table) := {
	"subject": {"type": "user", "id": subject, "properties": {}},
	"on_behalf_of": [],
	"action": {"name": action, "properties": {}},
	"resource": {"type": "table", "id": table, "properties": {}},
	"context": {},
}

decision(subject, action, table) := answer if {
	caller := {"identity": sprintf("user:%s", [subject]), "kind": "person", "groups": []}
	answer := pdp.decision with input as object.union(
		request(subject, action, table),
		{"caller": caller, "now": 0},
	)
}

unmasking(subject, domains) := answer if {
	caller := {"identity": sprintf("user:%s", [subject]), "kind": "person", "groups": []}
	asked := {"context": {"domains": domains}, "caller": caller, "now": 0}
	answer := pdp.decision with input as object.union(request(subject, "unmask", "shop.orders"), asked)
}

masks(table, names) := found if {
	found := pdp.masks.columns with input as {
		"request": request("alice", "mask", table),
		"caller": {"identity": "user:alice", "kind": "person", "groups": []},
		"now": 0,
		"columns": [column |
			some name in names
			column := {"name": name, "type": "string", "leaf": true, "above": []}
		],
	}
}

test_every_column_has_one_mask if {
	tables := {
		"shop.customers": ["email", "name", "city", "born"],
		"shop.orders": ["order_id", "buyer_email", "amount"],
	}
	every table, names in tables {
		found := masks(table, names)
		every name in names {
			count(found[name]) == 1
		}
	}
}

test_both_addresses_are_of_one_domain if {
	[customer] := masks("shop.customers", ["email"]).email
	[buyer] := masks("shop.orders", ["buyer_email"]).buyer_email
	customer.domain == buyer.domain
}

test_analysts_mask_and_others_do_not if {
	decision("alice", "mask", "shop.orders").effect == "ALLOW"
	decision("dana", "mask", "shop.orders").effect == "DENY"
	decision("alice", "mask", "hr.people").effect == "DENY"
	masks("hr.people", ["email"]) == {"email": []}
}

test_unmasking_asks_the_privacy_team if {
	answer := unmasking("alice", ["shop.email"])
	answer.effect == "NEEDS_APPROVAL"
	answer.requirements[0].reviewers == {"groups": ["privacy-team"]}
	unmasking("dana", ["shop.email"]).effect == "DENY"
}

test_other_tokens_do_not_open_under_the_name_of_a_table_of_the_shop if {
	unmasking("alice", ["hr.person"]).effect == "DENY"
	unmasking("alice", ["hr.person", "shop.email"]).effect == "DENY"
}
