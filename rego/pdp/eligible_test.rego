package eligible_test

import data.pdp

eligible(requirements) := answer if {
	answer := pdp.eligible with data.groups as {"stewards": ["user:bob", "user:carol", "slack:U1"], "owners": ["user:alice"]}
		with data.identities as {"agent:bot": {"owners": ["user:alice"]}, "slack:U1": {"same_as": ["user:bob"]}}
		with input as {
			"request": {"subject": {"type": "agent", "id": "bot"}, "on_behalf_of": [{"type": "user", "id": "carol"}]},
			"caller": {"identity": "agent:bot", "kind": "workload", "groups": []},
			"requirements": [{"reviewers": wanted} | some wanted in requirements],
			"reviewers": [],
			"now": 0,
		}
}

test_members_and_the_named_are_eligible_with_the_person_they_are if {
	eligible([{"groups": ["stewards"], "identities": ["user:dave"]}]).requirements == [{
		"user:bob": "slack:U1",
		"slack:U1": "slack:U1",
		"user:dave": "user:dave",
	}]
}

test_principals_are_not_eligible if {
	eligible([{"groups": ["owners"], "identities": ["user:carol", "agent:bot"]}]).requirements == [{}]
}

test_each_requirement_has_its_own_in_order if {
	wanted := [{"identities": ["user:x"]}, {}, {"groups": ["nobody"]}, {"claims": {"department": "hr"}}]
	eligible(wanted) == {"requirements": [{"user:x": "user:x"}, {}, {}, {}], "more": [false, false, false, false], "revisions": []}
}

test_other_identity_of_a_principal_is_not_eligible if {
	answer := pdp.eligible with data.identities as {"slack:U1": {"same_as": ["user:carol"]}}
		with data.groups as {}
		with input as {
			"request": {"subject": {"type": "user", "id": "carol"}, "on_behalf_of": []},
			"caller": {"identity": "user:carol", "kind": "person", "groups": []},
			"requirements": [{"reviewers": {"identities": ["slack:U1", "user:bob"]}}],
			"reviewers": [],
			"now": 0,
		}
	answer.requirements == [{"user:bob": "user:bob"}]
}

test_large_group_lists_its_first_members_and_says_so if {
	answer := pdp.eligible with data.pdp.people as {
		"format": 1,
		"members": {"few": {"user:dave": true}},
		"first": {"everyone": ["user:bob", "user:carol"]},
	}
		with data.system.bundles as {"policy": {"manifest": {"revision": "r1"}}}
		with input as {
			"request": {"subject": {"type": "user", "id": "carol"}, "on_behalf_of": []},
			"caller": {"identity": "user:carol", "kind": "person", "groups": []},
			"requirements": [{"reviewers": {"groups": ["everyone", "few"]}}, {"reviewers": {"groups": ["few"]}}],
			"reviewers": [],
			"now": 0,
		}
	answer == {
		"requirements": [{"user:bob": "user:bob", "user:dave": "user:dave"}, {"user:dave": "user:dave"}],
		"more": [true, false],
		"revisions": ["r1"],
	}
}

test_many_are_asked_about_at_once if {
	one := {
		"request": {"subject": {"type": "user", "id": "carol"}, "on_behalf_of": []},
		"caller": {"identity": "user:carol", "kind": "person", "groups": []},
		"requirements": [{"reviewers": {"identities": ["user:bob"]}}],
		"reviewers": [],
		"now": 0,
	}
	other := object.union(one, {"requirements": []})
	answers := pdp.eligible_each with input as {"batch": {"0": one, "1": other}}
	answers["0"].requirements == [{"user:bob": "user:bob"}]
	answers["1"].requirements == []
}
