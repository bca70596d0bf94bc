package policy

import data.lib.parties

# METADATA
# title: Roles allow actions
# description: |
#   `data.assignments` gives roles to identities, `data.roles` gives actions to roles. Everyone behind the request
#   needs a role that allows the action: an agent that acts for a person may do only what both of them may do.
allow contains {
	"rule": "roles.allowed",
	"reason": sprintf("everyone behind this request has a role that allows %s", [input.action.name]),
} if {
	every party in parties.all {
		some role in parties.roles(party)
		input.action.name in data.roles[role]
	}
}
