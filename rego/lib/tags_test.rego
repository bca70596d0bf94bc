package tags_lib_test

import data.lib.tags

tables := {"hr.payroll": ["restricted"], "weather": []}

columns := {"crm.customers": {"email": ["pii"], "note": []}, "HR.Staff": {"name": ["PII"]}}

of(action, table, sent) := found if {
	found := tags.all with input as {"action": {"name": action}, "resource": {"id": table, "properties": sent}}
		with data.table_tags as tables
		with data.column_tags as columns
}

test_data_and_the_request_are_united if {
	of("export", "hr.payroll", {"tags": ["pii"]}) == {"restricted", "pii"}
	of("export", "crm.customers", {"tags": []}) == {"pii"}
	of("export", "crm.customers", {}) == {"pii"}
	of("export", "weather", {}) == set()
}

test_case_and_blanks_make_no_other_tag_and_no_other_table if {
	of("export", "weather", {"tags": [" PII", "Public "]}) == {"pii", "public"}
	of("export", "CRM.customers ", {}) == {"pii"}
	of("export", "HR.Staff", {}) == {"pii"}
}

test_unknown_table_is_personal_for_everything_but_reading if {
	of("export", "crm.customers2", {}) == {"unknown", "pii"}
	of("Read", "crm.customers2", {}) == {"unknown", "pii"}
	of("read", "crm.customers2", {}) == {"unknown"}
}

with_lineage(action, table, lineage) := found if {
	found := tags.all with input as {
		"action": {"name": action},
		"resource": {"id": table, "properties": {"tags": ["public"]}},
		"lineage": lineage,
	}
		with data.table_tags as tables
		with data.column_tags as columns
}

test_what_lineage_knows_counts_too if {
	known := {"state": "KNOWN", "tags": ["contact", "pii:masked"]}
	with_lineage("export", "weather", known) == {"public", "contact", "pii:masked"}
	with_lineage("export", "mart.leads", known) == {"public", "contact", "pii:masked"}
}

test_unclassified_takes_the_place_of_unknown_where_lineage_is_on if {
	nothing := {"state": "UNKNOWN", "tags": ["unclassified"]}
	with_lineage("export", "mart.leads", nothing) == {"public", "unclassified", "pii"}
	with_lineage("read", "mart.leads", nothing) == {"public", "unclassified"}
	with_lineage("export", "weather", nothing) == {"public", "unclassified"}
	with_lineage("export", "mart.leads", {"state": "NONE"}) == {"public"}
	with_lineage("read", "mart.leads", {"state": "OFF"}) == {"public", "unknown"}
}
