# METADATA
# title: The composing core
# description: |
#   Composes the five sets of `package policy` into one answer.
#   1. Deny beats needs_approval, and needs_approval beats allow. If no rule matches, the answer is deny.
#   2. The core names the sets statically. So OPA's rule index keeps the cost flat, and a misspelt or boolean rule cannot
#      be mistaken for one of them.
#   3. Entries leave as the author wrote them. To pick keys here would drop an entry that lacks one of them, and a dropped
#      deny would become an allow.
# related_resources:
#   - https://openid.net/specs/authorization-api-1_0.html
package pdp

# METADATA
# description: The answer to one request. `input` is the canonical request with `caller`, `now` and
#   `lineage` added.
# entrypoint: true
decision := {
	"effect": "DENY",
	"reasons": denials,
	"revisions": revisions,
} if {
	denials := [entry | some entry in data.policy.deny]
	denials != []
} else := {
	"effect": "NEEDS_APPROVAL",
	"requirements": requirements,
	"obligations": [entry | some entry in data.policy.obligation],
	"requester_principals": requester_principals,
	"owners": owners,
	"revisions": revisions,
} if {
	requirements := [entry | some entry in data.policy.needs_approval]
	requirements != []
} else := {
	"effect": "ALLOW",
	"reasons": allowances,
	"obligations": [entry | some entry in data.policy.obligation],
	"revisions": revisions,
} if {
	allowances := [entry | some entry in data.policy.allow]
	allowances != []
} else := {
	"effect": "DENY",
	"reasons": [{"rule": "pdp.no_rule", "reason": "no rule of the policy allows this"}],
	"revisions": revisions,
}

# METADATA
# description: |
#   Many answers in one query, keyed like `asked`.
#   1. Each item replaces `input` as a whole. A partial override (`with input.action as …`) would copy the input for each
#      item, and the cost of a batch would grow with the square of its size.
#   2. The answers to the items that `input.explain` names also carry every rule that fired, also those that did not
#      determine the effect.
# entrypoint: true
decisions[index] := answer if {
	some index, item in asked
	not input.explain[index]
	answer := decision with input as item
}

decisions[index] := object.union(answer, {"fired": rules}) if {
	some index, item in asked
	input.explain[index]
	answer := decision with input as item
	rules := fired with input as item
}

fired := {
	"deny": [entry | some entry in data.policy.deny],
	"needs_approval": [entry | some entry in data.policy.needs_approval],
	"allow": [entry | some entry in data.policy.allow],
	"obligation": [entry | some entry in data.policy.obligation],
}

# The revision of exactly the snapshot that answers. An OPA that loaded no bundle, or one without the maps of people, gives
# no revision; the server then allows nothing.
revisions := [revision |
	has_maps
	revision := data.system.bundles[_].manifest.revision
]
