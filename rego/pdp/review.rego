# Which reviewers may review a request.
package pdp

# METADATA
# description: |
#   For each reviewer, the requirements that it fits (by index) and the person behind it; and the requester principals of
#   today. `input` is {request, caller, requirements, reviewers: [{identity, groups, claims, channel, passkey}], now,
#   lineage}, with the groups and claims that were verified at the review. A reviewer without `channel` is asked about as
#   a person; with it, as a yes that came there, with a passkey or without. The server intersects and counts.
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
				counts(requirement, reviewer)
			],
		}
	],
	"requester_principals": principals,
	"revisions": revisions,
} if {
	principals := requester_principals with input as requested
}

# METADATA
# description: |
#   Many answers in one query, keyed like `asked`. Each item replaces `input` as a whole, as in `decisions`.
# entrypoint: true
reviews[index] := answer if {
	some index, item in asked
	answer := review with input as item
}

fits(reviewers, reviewer) if reviewer.identity in reviewers.identities

fits(reviewers, reviewer) if {
	some group in reviewers.groups
	is_member(reviewer.identity, group)
}

fits(reviewers, reviewer) if {
	some group in reviewers.groups
	group in reviewer.groups
}

# A reviewer fits by claims if it has all of them: each is equal to the wanted value or is a list that contains it. A
# requirement without claims fits no reviewer by claims.
fits(reviewers, reviewer) if {
	count(reviewers.claims) > 0
	every name, wanted in reviewers.claims {
		has(reviewer.claims[name], wanted)
	}
}

# Who may review is asked without a channel. A yes counts where the requirement says so, and with a passkey where it
# wants one.
counts(_, reviewer) if not reviewer.channel

counts(requirement, reviewer) if {
	reviewer.channel in requirement.channels
	not requirement.passkey
}

counts(requirement, reviewer) if {
	reviewer.channel in requirement.channels
	reviewer.passkey == true
}

has(claim, wanted) if claim == wanted

has(claim, wanted) if {
	is_array(claim)
	wanted in claim
}
