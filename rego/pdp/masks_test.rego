package pdp_test

import data.pdp

id := {"rule": "ids", "reason": "ids", "columns": ["id", "parent"], "domain": "customer"}

contact := {"rule": "contact", "reason": "contact", "tags": ["contact"], "mask": "redact"}

address := {"rule": "address", "reason": "address", "columns": ["address"], "mask": "nullify"}

rest := {"rule": "rest", "reason": "rest", "columns": ["*"], "mask": "clear"}

column(name) := {"name": name, "type": "string", "leaf": true, "above": [], "also": []}

below(name, above) := object.union(column(name), {"above": above})

masks(columns, entries) := answer if {
	answer := pdp.masks with input as {
		"request": object.remove(base, ["caller", "now"]),
		"caller": base.caller,
		"now": base.now,
		"columns": columns,
	}
		with data.policy.mask as entries
		with data.column_tags as {"customers": {"email": ["contact", "other"], "address": ["place"]}}
		with data.domains as {"customer": {"mask": "token"}}
}

test_every_entry_that_names_a_column if {
	other := object.union(id, {"rule": "other"})
	answer := masks([column("id")], {id, other, contact, rest})
	answer.columns == {"id": [id, other]}
	{entry | some entry in answer.entries} == {id, other, rest, contact}
	answer.domains == {"customer": {"mask": "token"}}
	answer.revisions == pdp.revisions
}

test_people_are_those_behind_the_request_by_one_name_each if {
	answer := pdp.masks with input as {
		"request": object.remove(base, ["caller", "now"]),
		"caller": base.caller,
		"now": base.now,
		"columns": [],
	}
		with data.policy.mask as set()
		with data.identities as {
			"agent:bot": {"owners": ["user:alice"]},
			"slack:U1": {"same_as": ["user:alice"]},
		}
	answer.people == {"agent:bot": "agent:bot", "user:alice": "slack:U1", "slack:U1": "slack:U1"}
}

test_tags_are_the_policys if masks([column("email")], {id, contact, rest}).columns == {"email": [contact]}

test_tags_are_those_of_lineage_too if {
	followed := object.union(column("note"), {"tagged": {"note": ["contact"]}})
	masks([followed, column("email")], {contact, rest}).columns == {"note": [contact], "email": [contact]}
	masked := object.union(column("note"), {"tagged": {"note": ["contact:masked"]}})
	masks([masked], {contact, rest}).columns == {"note": [rest]}
}

test_a_tag_above_a_column_covers_it if {
	place := object.union(column("place"), {"leaf": false, "tagged": {"place": ["contact"]}})
	inner := object.union(below("place.street", ["place"]), {"tagged": {"place": ["contact"]}})
	masks([place, inner], {contact, rest}).columns == {"place": [contact], "place.street": []}
}

test_the_rest_is_what_nothing_else_names if {
	masks([column("note"), column("id")], {id, rest}).columns == {"note": [rest], "id": [id]}
	masks([column("note")], {id}).columns == {"note": []}
}

test_a_nested_column_covers_those_below if {
	nested := object.union(column("address"), {"leaf": false})
	found := masks([nested, below("address.zip", ["address"])], {address, rest}).columns
	found == {"address": [address], "address.zip": []}
	masks([nested, below("address.zip", ["address"])], {rest}).columns == {"address": [], "address.zip": [rest]}
}

test_an_odd_name_is_as_it_is_written_or_a_path if {
	card := {"rule": "card", "reason": "card", "columns": ["Card No", `["Card No"]`], "mask": "redact"}
	odd := object.union(column(`["Card No"]`), {"also": ["Card No"]})
	masks([odd], {card, rest}).columns == {`["Card No"]`: [card]}
	inner := below(`["Card No"].zip`, [`["Card No"]`, "Card No"])
	masks([inner], {card, rest}).columns == {`["Card No"].zip`: []}
}

test_entry_that_names_nothing_is_still_seen if {
	misspelt := {"rule": "ids", "reason": "ids", "colums": ["id"], "domain": "customer"}
	answer := masks([column("id")], {misspelt})
	answer.entries == [misspelt]
	answer.columns == {"id": []}
}

test_policy_without_domains_or_tags if {
	answer := pdp.masks with input as {
		"request": object.remove(base, ["caller", "now"]),
		"caller": base.caller,
		"now": base.now,
		"columns": [column("id")],
	}
		with data.policy.mask as {id}
		with data.domains as {}
		with data.column_tags as {}
	answer.domains == {}
	answer.columns == {"id": [id]}
}

test_many_are_asked_about_at_once if {
	asked := {
		"request": object.remove(base, ["caller", "now"]),
		"caller": base.caller,
		"now": base.now,
		"columns": [column("id")],
	}
	answers := pdp.masks_each with input as {"batch": {"0": asked, "1": object.union(asked, {"columns": []})}}
		with data.policy.mask as {rest}
	answers["0"].columns == {"id": [rest]}
	answers["1"].columns == {}
}

sent(table, columns, known) := answer if {
	answer := pdp.masks.columns with input as {
		"request": object.union(object.remove(base, ["caller", "now"]), {"resource": {"id": table}}),
		"caller": base.caller,
		"now": base.now,
		"columns": columns,
	}
		with data.policy.mask as {rest, contact}
		with data.column_tags as {known: {"email": ["contact"]}}
}

test_a_table_has_its_tags_by_a_name_in_small_or_in_capital_letters if {
	every table in ["customers", "CUSTOMERS", "Customers", " customers "] {
		sent(table, [column("email"), column("note")], "customers") == {"email": [contact], "note": [rest]}
		sent(table, [column("email")], "CUSTOMERS") == {"email": [contact]}
	}
	sent("customer", [column("email")], "customers") == {"email": [rest]}
}

test_the_rest_shows_no_column_whose_name_is_written_another_way if {
	sent("customers", [column("EMAIL"), column("note")], "customers") == {"EMAIL": [contact], "note": [rest]}
	masks([column("ID")], {id, rest}).columns == {"ID": [id]}
	masks([below("Address.zip", ["Address"])], {address, rest}).columns == {"Address.zip": [address]}
	masks([column("ID")], {id}).columns == {"ID": []}
}
