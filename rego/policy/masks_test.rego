package masks_test

import data.pdp

alice := {"type": "user", "id": "alice", "properties": {}}

request(action, table) := {
	"subject": alice,
	"on_behalf_of": [],
	"action": {"name": action, "properties": {}},
	"resource": {"type": "table", "id": table, "properties": {}},
	"context": {},
}

caller := {"identity": "user:alice", "kind": "person", "groups": []}

decision(action, table) := answer if {
	answer := pdp.decision with input as object.union(request(action, table), {"caller": caller, "now": 0})
}

columns(table, names) := found if {
	found := pdp.masks.columns with input as {
		"request": request("mask", table),
		"caller": caller,
		"now": 0,
		"columns": [column |
			some name in names
			column := {"name": name, "type": "string", "leaf": true, "above": []}
		],
	}
}

customer := [
	"rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state",
	"date_of_birth", "soc_sec_id", "email", "phone",
]

test_every_column_of_a_customer_has_one_mask if {
	found := columns("crm.customers", customer)
	count(found) == count(customer)
	every entries in found {
		count(entries) == 1
	}
}

test_every_domain_that_a_mask_names_is_declared if {
	found := columns("web.signups", customer)
	every entries in found {
		every entry in entries {
			object.get(entry, "domain", "customer.name") in object.keys(data.domains)
		}
	}
}

test_unknown_columns_and_tables_have_none if {
	columns("crm.customers", ["salary"]) == {"salary": []}
	columns("hr.people", ["surname"]) == {"surname": []}
}

test_export_of_customers_obliges_to_mask if {
	every name in ["crm.customers", " CRM.Customers"] {
		decision("export", name).obligations == [{
			"rule": "customers.export",
			"reason": "customers leave masked",
			"type": "mask",
			"properties": {"table": "crm.customers"},
		}]
	}
	decision("export", "weather").obligations == []
	decision("read", "crm.customers").obligations == []
}

test_masking_is_for_analysts_and_unmasking_asks_a_steward if {
	decision("mask", "crm.customers").effect == "ALLOW"
	answer := decision("unmask", "crm.customers")
	answer.effect == "NEEDS_APPROVAL"
	answer.requirements[0].reviewers == {"groups": ["data-stewards"]}
	decision("rewrap", "crm.customers").effect == "DENY"
}
