package people_test

import data.pdp

request(subject, chain, caller) := {
	"subject": {"type": "agent", "id": subject},
	"on_behalf_of": [{"type": "user", "id": name} | some name in chain],
	"caller": {"identity": caller, "kind": "workload", "groups": []},
}

identities := {
	"agent:bot": {"owners": ["user:alice", "agent:parent"]},
	"agent:parent": {"owners": ["user:root"]},
	"slack:U1": {"same_as": ["user:bob"]},
	"teams:b": {"same_as": ["slack:U1"]},
}

test_subject_chain_and_caller_must_not_review if {
	pdp.requester_principals == {"agent:bot", "user:bob", "agent:gateway"} with data.identities as {}
		with input as request("bot", ["bob"], "agent:gateway")
}

test_owners_of_owners_must_not_review if {
	pdp.requester_principals == {"agent:bot", "agent:parent", "user:alice", "user:root"} with data.identities as identities
		with input as request("bot", [], "agent:bot")
}

test_other_identities_of_a_person_must_not_review if {
	pdp.requester_principals == {"agent:x", "user:bob", "slack:U1", "teams:b"} with data.identities as identities
		with input as request("x", ["bob"], "agent:x")
}

test_owning_holds_upwards_only if {
	pdp.requester_principals == {"user:alice", "agent:x"} with data.identities as identities
		with input as request("x", ["alice"], "agent:x")
}

test_nobody_owns_the_accountable if {
	pdp.owners == ["user:alice", "user:root"] with data.identities as identities
		with input as request("bot", [], "agent:bot")
	pdp.owners == ["agent:bot"] with data.identities as {}
		with input as request("bot", [], "agent:bot")
}

test_circles_end if {
	pdp.requester_principals == {"agent:bot", "agent:other"} with data.identities as {
		"agent:bot": {"owners": ["agent:other"]},
		"agent:other": {"owners": ["agent:bot"]},
	}
		with input as request("bot", [], "agent:bot")
}

test_two_identities_are_one_person if {
	names := {name | some identity in ["user:bob", "slack:U1", "teams:b"]; name := pdp.person(identity)}
		with data.identities as identities
	names == {"slack:U1"}
}

test_stranger_is_a_person_too if pdp.person("user:eve") == "user:eve" with data.identities as {}
