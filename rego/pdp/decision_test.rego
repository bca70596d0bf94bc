package pdp_test

import data.pdp

base := {
	"subject": {"type": "agent", "id": "bot", "properties": {}},
	"on_behalf_of": [],
	"action": {"name": "read", "properties": {}},
	"resource": {"type": "table", "id": "customers", "properties": {}},
	"context": {},
	"caller": {"identity": "agent:bot", "kind": "workload", "groups": []},
	"now": 0,
}

no := {"rule": "no", "reason": "no"}

ask := {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["stewards"]}}

yes := {"rule": "yes", "reason": "yes"}

duty := {"rule": "duty", "reason": "duty", "type": "log"}

decision(deny, needs_approval, allow) := answer if {
	answer := pdp.decision with input as base
		with data.policy.deny as deny
		with data.policy.needs_approval as needs_approval
		with data.policy.allow as allow
		with data.policy.obligation as {duty}
		with data.identities as {"agent:bot": {"owners": ["user:alice"]}}
}

test_deny_beats_everything if {
	decision({no}, {ask}, {yes}) == {"effect": "DENY", "reasons": [no], "revisions": pdp.revisions}
}

test_needs_approval_beats_allow if {
	decision(set(), {ask}, {yes}) == {
		"effect": "NEEDS_APPROVAL",
		"requirements": [ask],
		"obligations": [duty],
		"requester_principals": {"agent:bot", "user:alice"},
		"owners": ["user:alice"],
		"revisions": pdp.revisions,
	}
}

test_allow_alone_allows if {
	decision(set(), set(), {yes}) == {
		"effect": "ALLOW",
		"reasons": [yes],
		"obligations": [duty],
		"revisions": pdp.revisions,
	}
}

test_nothing_matched_is_deny if {
	answer := decision(set(), set(), set())
	answer.effect == "DENY"
	answer.reasons[0].rule == "pdp.no_rule"
}

test_every_match_is_a_reason if {
	other := {"rule": "other", "reason": "other"}
	decision({no, other}, set(), set()).reasons == [no, other]
	decision(set(), {ask, other}, set()).requirements == [ask, other]
	decision(set(), set(), {yes, other}).reasons == [other, yes]
}

test_entry_leaves_as_it_was_written if decision({{}}, set(), {yes}).reasons == [{}]

test_the_sets_themselves_hold_nothing if {
	every entries in pdp.fired {
		entries == []
	}
}

test_batch_is_keyed_by_index if {
	answers := pdp.decisions with input as {"batch": [base, object.union(base, {"action": {"name": "drop"}})]}
		with data.policy.allow as {yes}
		with data.policy.deny as set()
		with data.policy.needs_approval as set()
		with data.policy.obligation as set()
	{index: answer.effect | some index, answer in answers} == {0: "ALLOW", 1: "ALLOW"}
	not answers[0].fired
}

test_explained_item_names_the_outvoted_rules if {
	answers := pdp.decisions with input as {"batch": [base, base], "explain": [false, true]}
		with data.policy.deny as {no}
		with data.policy.needs_approval as {ask}
		with data.policy.allow as {yes}
		with data.policy.obligation as {duty}
	answers[1] == object.union(answers[0], {"fired": {
		"deny": [no],
		"needs_approval": [ask],
		"allow": [yes],
		"obligation": [duty],
	}})
}

test_no_bundle_is_no_revision if pdp.revisions == [] with data.system.bundles as {}

test_revision_is_the_bundle_that_answers if {
	pdp.revisions == ["r1"] with data.system.bundles as {"policy": {"manifest": {"revision": "r1"}}}
		with data.pdp.people as {"format": 1}
}
