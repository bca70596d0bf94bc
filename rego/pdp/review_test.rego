package review_test

import data.pdp

reviewer(identity, claimed) := {"identity": identity, "claims": {"groups": claimed}}

fits(reviewers, requirements) := [answer.fits | some answer in review(reviewers, requirements).reviewers]

review(reviewers, requirements) := answer if {
	answer := pdp.review with data.groups as {"stewards": ["user:bob"], "board": []}
		with data.identities as {"agent:bot": {"owners": ["user:alice"]}, "slack:U1": {"same_as": ["user:bob"]}}
		with data.system.bundles as {"policy": {"manifest": {"revision": "r1"}}}
		with input as {
			"request": {"subject": {"type": "agent", "id": "bot"}, "on_behalf_of": []},
			"caller": {"identity": "agent:gateway", "kind": "workload", "groups": []},
			"requirements": [{"reviewers": wanted} | some wanted in requirements],
			"reviewers": reviewers,
			"now": 0,
		}
}

test_member_of_the_group_fits if fits([reviewer("user:bob", [])], [{"groups": ["stewards"]}]) == [[0]]

test_claim_of_the_token_fits if fits([reviewer("user:carol", ["stewards"])], [{"groups": ["stewards"]}]) == [[0]]

test_named_identity_fits if fits([reviewer("user:dave", [])], [{"identities": ["user:dave"]}]) == [[0]]

test_stranger_fits_nothing if {
	fits([reviewer("user:eve", ["others"])], [{"groups": ["stewards", "board"], "identities": ["user:dave"]}]) == [[]]
	fits([reviewer("user:eve", [])], [{}]) == [[]]
}

test_each_reviewer_has_its_own_requirements if {
	wanted := [{"groups": ["stewards"]}, {"identities": ["user:bob", "user:dave"]}]
	fits([reviewer("user:bob", []), reviewer("user:dave", [])], wanted) == [[0, 1], [1]]
}

test_person_stands_for_all_identities if {
	answer := review([reviewer("user:bob", []), reviewer("slack:U1", [])], [])
	{one.person | some one in answer.reviewers} == {"slack:U1"}
}

test_answer_names_principals_and_revision if {
	answer := review([], [])
	answer.requester_principals == {"agent:bot", "user:alice", "agent:gateway"}
	answer.revisions == ["r1"]
}
