# Who could review at all.
package pdp

# METADATA
# description: |
#   For each requirement whom the data names and who is none of the requester's principals, each with the person it is.
#   Others may fit, too, whom only their token makes a member. `input` is that of `review`, without reviewers.
# entrypoint: true
eligible := {
	"requirements": [people |
		some requirement in input.requirements
		people := {name: person(name) | some name in named(requirement.reviewers) - principals}
	],
	"revisions": revisions,
} if {
	requested := object.union(input.request, {"caller": input.caller, "now": input.now})
	principals := requester_principals with input as requested
}

named(reviewers) := {name | some name in reviewers.identities} | {name |
	some group in reviewers.groups
	some name in data.groups[group]
}
