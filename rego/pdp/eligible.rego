# Which people could review a request.
package pdp

# METADATA
# description: |
#   For each requirement, the identities that the data names and that are not requester principals, each with the person
#   behind it; and whether a group of it has more members than are listed. Other people may fit, too: those whom only their
#   token makes members. `input` is the input of `review`, without `reviewers`.
# entrypoint: true
eligible := {
	"requirements": [people |
		some requirement in input.requirements
		people := {name: person(name) | some name in (named(requirement.reviewers) - principals)}
	],
	"more": [has_more(requirement.reviewers) | some requirement in input.requirements],
	"revisions": revisions,
} if {
	principals := requester_principals with input as requested
}

# METADATA
# description: |
#   Many answers in one query, keyed like `asked`. Each item replaces `input` as a whole, as in `decisions`.
# entrypoint: true
eligible_each[index] := answer if {
	some index, item in asked
	answer := eligible with input as item
}

named(reviewers) := {name | some name in reviewers.identities} | {name |
	some group in reviewers.groups
	some name in listed(group)
}

# A large group lists its first members only, because a query cannot walk it.
listed(group) := names if {
	names := data.pdp.people.first[group]
} else := data.groups[group] if {
	is_walked
} else := [name | some name, _ in data.pdp.people.members[group]]

default has_more(_) := false

has_more(reviewers) if {
	some group in reviewers.groups
	data.pdp.people.first[group]
}
