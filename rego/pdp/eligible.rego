# Which people could review a request.
package pdp

# METADATA
# description: |
#   For each requirement, the identities that the data names and that are not requester principals, each with the person
#   behind it. Other people may fit, too: those whom only their token makes members. `input` is the input of `review`,
#   without `reviewers`.
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
