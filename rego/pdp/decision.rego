# METADATA
# title: The composing core
# description: |
#   Composes the five sets of `package policy` into one answer: deny beats needs_approval beats allow,
#   and nothing matched is deny. The sets are named statically, so that OPA's rule index keeps the cost flat
#   and a misspelt or boolean rule cannot be mistaken for one. Entries leave as the author wrote them:
#   projecting them here would drop an entry that lacks a key, and a dropped deny is an allow.
# related_resources:
#   - https://openid.net/specs/authorization-api-1_0.html
package pdp

# METADATA
# description: The answer to one request; `input` is the canonical request with `caller` and `now`.
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
#   Many answers in one query, keyed like `input.batch`. Each item replaces `input` as a whole: partial overrides
#   (`with input.action as …`) copy the input every time and turn the batch quadratic. The items named in
#   `input.explain` also carry every rule that fired, the outvoted ones included.
# entrypoint: true
decisions[index] := answer if {
	some index, item in input.batch
	not input.explain[index]
	answer := decision with input as item
}

decisions[index] := object.union(answer, {"fired": rules}) if {
	some index, item in input.batch
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

# The revision of the very snapshot that is answering. A server that loaded no bundle has none, and then nobody is allowed.
revisions := [revision | revision := data.system.bundles[_].manifest.revision]
