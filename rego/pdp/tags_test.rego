package tags_test

import data.pdp

test_each_declared_tag_says_how_it_travels if {
	declared := {
		"contact": {},
		"draft": {"propagate": false, "description": "not final"},
		"secret": {"indirect": "carry", "on_mask": "stop"},
		"pii": "a person can be found by it",
	}
	answer := pdp.tags with data.tags as declared
	answer.tags == {
		"contact": {"propagate": true, "on_mask": "mark", "indirect": "stop"},
		"draft": {"propagate": false, "on_mask": "mark", "indirect": "stop"},
		"secret": {"propagate": true, "on_mask": "stop", "indirect": "carry"},
	}
	answer.revisions == pdp.revisions
}

test_a_list_of_tags_declares_nothing_more if {
	answer := pdp.tags with data.tags as ["pii"]
	answer.tags == {}
}
