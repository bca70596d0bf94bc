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

# What the build makes of `identities`, and of a small and a large group.
maps := {
	"format": 1,
	"person": {"user:bob": "slack:U1", "slack:U1": "slack:U1", "teams:b": "slack:U1"},
	"identities": {"slack:U1": ["slack:U1", "teams:b", "user:bob"]},
	"behind": {"agent:bot": ["agent:parent", "user:alice", "user:root"], "agent:parent": ["user:root"]},
	"members": {"stewards": {"user:bob": true}, "everyone": {"user:bob": true, "user:zoe": true}},
	"first": {"everyone": ["user:bob"]},
}

bundles := {"policy": {"manifest": {"revision": "r1"}}}

test_bundle_reads_the_maps_and_nothing_else if {
	pdp.requester_principals == {
		"agent:bot", "agent:parent", "user:alice", "user:root", "agent:x",
		"user:bob", "slack:U1", "teams:b",
	} with data.system.bundles as bundles
		with data.pdp.people as maps
		with data.identities as {"user:bob": {"owners": ["user:eve"], "same_as": ["user:eve"]}}
		with input as request("bot", ["bob"], "agent:x")
}

test_bundle_knows_strangers_as_themselves if {
	pdp.requester_principals == {"agent:y", "agent:x"} with data.system.bundles as bundles
		with data.pdp.people as maps
		with input as request("y", [], "agent:x")
	pdp.owners == ["agent:bot", "agent:y"] with data.system.bundles as bundles
		with data.pdp.people as object.remove(maps, ["behind"])
		with input as request("y", [], "agent:bot")
	pdp.person("user:eve") == "user:eve" with data.system.bundles as bundles
		with data.pdp.people as maps
	pdp.person("user:bob") == "slack:U1" with data.system.bundles as bundles
		with data.pdp.people as maps
}

test_owned_are_not_accountable_in_a_bundle_either if {
	pdp.owners == ["user:alice", "user:root"] with data.system.bundles as bundles
		with data.pdp.people as maps
		with input as request("bot", [], "agent:bot")
}

test_identity_of_the_owned_is_owned if {
	pdp.owners == ["user:alice"] with data.identities as {
		"agent:bot": {"owners": ["user:alice"]},
		"spiffe:bot": {"same_as": ["agent:bot"]},
	}
		with input as request("bot", [], "agent:bot")
}

test_member_is_who_the_maps_name if {
	pdp.is_member("user:zoe", "everyone") with data.system.bundles as bundles
		with data.pdp.people as maps
	not pdp.is_member("user:eve", "everyone") with data.system.bundles as bundles
		with data.pdp.people as maps
		with data.groups as {"everyone": ["user:eve"]}
}

test_member_is_who_the_data_names_without_a_bundle if {
	pdp.is_member("user:bob", "stewards") with data.groups as {"stewards": ["user:bob"]}
	not pdp.is_member("user:eve", "stewards") with data.groups as {"stewards": ["user:bob"]}
}

test_without_the_maps_there_is_no_revision if {
	pdp.revisions == ["r1"] with data.system.bundles as bundles
		with data.pdp.people as maps
	pdp.revisions == [] with data.system.bundles as bundles
	pdp.revisions == [] with data.system.bundles as bundles
		with data.pdp.people as object.union(maps, {"format": 2})
	pdp.revisions == [] with data.pdp.people as maps
}
