# Who may review.
package pdp

# METADATA
# description: |
#   For each reviewer the requirements it fits, by index, and the person it is; and who the requester's principals are
#   today. `input` is {request, caller, requirements, reviewers: [{identity, claims}], now}; the server intersects and counts.
# entrypoint: true
review := {
	"reviewers": [answer |
		some reviewer in input.reviewers
		answer := {
			"identity": reviewer.identity,
			"person": person(reviewer.identity),
			"fits": [index |
				some index, requirement in input.requirements
				fits(requirement.reviewers, reviewer)
			],
		}
	],
	"requester_principals": principals,
	"revisions": revisions,
} if {
	requested := object.union(input.request, {"caller": input.caller, "now": input.now})
	principals := requester_principals with input as requested
}

fits(reviewers, reviewer) if reviewer.identity in reviewers.identities

fits(reviewers, reviewer) if {
	some group in reviewers.groups
	reviewer.identity in data.groups[group]
}

fits(reviewers, reviewer) if {
	some group in reviewers.groups
	group in reviewer.claims.groups
}
