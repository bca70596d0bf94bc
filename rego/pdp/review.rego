# Who may review.
package pdp

# METADATA
# description: |
#   For each reviewer the requirements it fits, by index, and the person it is; and who the requester's principals are
#   today. `input` is {request, caller, requirements, reviewers: [{identity, groups, claims}], now}, groups and claims as
#   verified at the review; the server intersects and counts.
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
	group in reviewer.groups
}

# All of the claims, each equal or a member; a requirement without any fits nobody by them.
fits(reviewers, reviewer) if {
	count(reviewers.claims) > 0
	every name, wanted in reviewers.claims {
		has(reviewer.claims[name], wanted)
	}
}

has(claim, wanted) if claim == wanted

has(claim, wanted) if {
	is_array(claim)
	wanted in claim
}
