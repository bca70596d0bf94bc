package asked_test

import data.pdp

known := {"state": "KNOWN", "tags": ["pii"]}

test_question_of_its_own_is_asked_as_it_is if {
	asked := pdp.asked with input as {"batch": {"0": {"now": 1, "lineage": known}}, "sharing": {}, "views": []}
	asked == {"0": {"now": 1, "lineage": known}}
}

test_questions_share_a_view_that_is_sent_once if {
	sharing := {"0": {"item": {"now": 1}, "view": 0}, "2": {"item": {"now": 3}, "view": 1}}
	asked := pdp.asked with input as {
		"batch": {"1": {"now": 2}},
		"sharing": sharing,
		"views": [known, {"state": "NONE"}],
	}
	asked == {
		"0": {"now": 1, "lineage": known},
		"1": {"now": 2},
		"2": {"now": 3, "lineage": {"state": "NONE"}},
	}
}

test_question_without_its_view_is_not_asked if {
	asked := pdp.asked with input as {"batch": {}, "sharing": {"0": {"item": {"now": 1}, "view": 7}}, "views": [known]}
	asked == {}
}

test_request_of_a_question_has_what_rules_read if {
	asked := {"request": {"context": {}}, "caller": {"identity": "user:bob"}, "now": 7}
	pdp.requested == {
		"context": {},
		"caller": {"identity": "user:bob"},
		"now": 7,
		"lineage": {"state": "OFF"},
	} with input as asked
	pdp.requested.lineage == known with input as object.union(asked, {"lineage": known})
}
