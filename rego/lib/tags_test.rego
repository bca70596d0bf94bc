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
