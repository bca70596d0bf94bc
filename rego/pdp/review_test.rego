package review_test

import data.pdp

reviewer(identity, groups) := {"identity": identity, "groups": groups, "claims": {}}

bearing(claims) := {"identity": "user:frank", "groups": [], "claims": claims}

fits(reviewers, requirements) := [answer.fits | some answer in review(reviewers, requirements).reviewers]

review(reviewers, requirements) := answer if {
	answer := pdp.review with data.groups as {"stewards": ["user:bob"], "board": []}
		with data.identities as {"agent:bot": {"owners": ["user:alice"]}, "slack:U1": {"same_as": ["user:bob"]}}
		with input as {
			"request": {"subject": {"type": "agent", "id": "bot"}, "on_behalf_of": []},
			"caller": {"identity": "agent:gateway", "kind": "workload", "groups": []},
			"requirements": [{"reviewers": wanted} | some wanted in requirements],
			"reviewers": reviewers,
			"now": 0,
		}
}

yes(channel, passkey) := {"identity": "user:bob", "groups": [], "claims": {}, "channel": channel, "passkey": passkey}

counted(reviewers, keys) := [answer.fits | some answer in answers] if {
	requirement := object.union({"reviewers": {"groups": ["stewards"]}}, keys)
	answers := pdp.review.reviewers with data.groups as {"stewards": ["user:bob"]}
		with data.identities as {"agent:bot": {"owners": ["user:alice"]}}
		with input as {
			"request": {"subject": {"type": "agent", "id": "bot"}, "on_behalf_of": []},
			"caller": {"identity": "agent:gateway", "kind": "workload", "groups": []},
			"requirements": [requirement],
			"reviewers": reviewers,
			"now": 0,
		}
}

test_yes_counts_where_the_requirement_names_its_channel if {
	plain := {"channels": ["api", "web"], "passkey": false}
	reviewers := [yes("api", false), yes("web", true), yes("slack", false), yes("teams", true), yes("", false)]
	counted(reviewers, plain) == [[0], [0], [], [], []]
	counted(reviewers, {"channels": ["slack"], "passkey": false}) == [[], [], [0], [], []]
}

test_yes_counts_with_the_passkey_that_is_asked_for if {
	wanting := {"channels": ["api", "web"], "passkey": true}
	counted([yes("api", false), yes("api", true), yes("slack", true), yes("api", "true")], wanting) == [[], [0], [], []]
}

test_who_may_review_is_asked_without_a_channel if {
	counted([reviewer("user:bob", [])], {"channels": ["web"], "passkey": true}) == [[0]]
}

test_member_of_the_group_fits if fits([reviewer("user:bob", [])], [{"groups": ["stewards"]}]) == [[0]]

test_group_of_the_token_fits if fits([reviewer("user:carol", ["stewards"])], [{"groups": ["stewards"]}]) == [[0]]

test_named_identity_fits if fits([reviewer("user:dave", [])], [{"identities": ["user:dave"]}]) == [[0]]

test_stranger_fits_nothing if {
	fits([reviewer("user:eve", ["others"])], [{"groups": ["stewards", "board"], "identities": ["user:dave"]}]) == [[]]
	fits([reviewer("user:eve", [])], [{}]) == [[]]
}

test_reviewer_with_all_claims_fits if {
	wanted := [{"claims": {"department": "finance", "level": 3}}]
	fits([bearing({"department": "finance", "level": 3, "more": true})], wanted) == [[0]]
	fits([bearing({"department": ["hr", "finance"], "level": 3})], wanted) == [[0]]
	fits([bearing({"department": "finance"})], wanted) == [[]]
	fits([bearing({"department": "finance", "level": "3"})], wanted) == [[]]
	fits([bearing({"department": "Finance", "level": 3})], wanted) == [[]]
	fits([bearing({"department": ["hr"], "level": 3})], wanted) == [[]]
	fits([bearing({})], wanted) == [[]]
}

test_claim_is_compared_as_what_it_is if {
	wanted := [{"claims": {"manager": true}}]
	fits([bearing({"manager": true})], wanted) == [[0]]
	fits([bearing({"manager": "true"}), bearing({"manager": 1})], wanted) == [[], []]
	fits([bearing({"manager": false})], [{"claims": {"manager": false}}]) == [[0]]
}

test_no_claim_asked_for_fits_nobody if fits([bearing({"department": "finance"})], [{"claims": {}}]) == [[]]

test_group_is_no_claim if fits([reviewer("user:eve", ["finance"])], [{"claims": {"groups": "finance"}}]) == [[]]

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
	answer.revisions == []
}

test_many_reviews_are_answered_each_by_itself if {
	item := {
		"request": {"subject": {"type": "agent", "id": "bot"}, "on_behalf_of": []},
		"caller": {"identity": "agent:gateway", "kind": "workload", "groups": []},
		"requirements": [{"reviewers": {"groups": ["stewards"]}}],
		"reviewers": [reviewer("user:bob", [])],
		"now": 0,
	}
	other := object.union(item, {"requirements": [{"reviewers": {"groups": ["board"]}}]})
	answer := pdp.reviews with data.groups as {"stewards": ["user:bob"], "board": []}
		with data.identities as {}
		with input as {"batch": {"0": item, "1": other}}
	[one.fits | some one in answer["0"].reviewers] == [[0]]
	[one.fits | some one in answer["1"].reviewers] == [[]]
	count(answer) == 2
}
