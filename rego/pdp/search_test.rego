package search_test

import data.pdp

search := {
	"subjects": {"user": ["alice", "bob"], "agent": []},
	"resources": {"table": ["customers", {"id": "orders", "properties": {"tags": ["pii"]}}, "items"]},
}

page(kind, type, first, most) := found if {
	found := pdp.candidates with data.search as search
		with input as {"kind": kind, "type": type, "first": first, "most": most}
}

test_page_is_a_part_of_what_is_declared if {
	found := page("resource", "table", 1, 1)
	found.page == [{"id": "orders", "properties": {"tags": ["pii"]}}]
	found.all == 3
}

test_last_page_ends_with_the_list if page("resource", "table", 2, 10).page == ["items"]

test_page_behind_the_end_is_empty if page("resource", "table", 3, 10).page == []

test_subjects_are_found if page("subject", "user", 0, 10).page == ["alice", "bob"]

test_unknown_type_has_no_candidates if {
	found := page("subject", "robot", 0, 10)
	found.page == []
	found.all == 0
}

test_kinds_with_candidates_are_named if page("action", "", 0, 10).declared == {"subject", "resource"}

test_actions_have_no_type if {
	found := pdp.candidates with data.search as {"actions": ["read"]}
		with input as {"kind": "action", "type": "", "first": 0, "most": 10}
	found.page == ["read"]
}

test_data_without_a_search_has_no_candidates if {
	found := pdp.candidates with data.search as {}
		with input as {"kind": "action", "type": "", "first": 0, "most": 10}
	found.declared == set()
	found.page == []
}
