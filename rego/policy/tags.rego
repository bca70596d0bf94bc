package policy

import data.lib.parties
import data.lib.tags

# METADATA
# title: Tagged data needs clearance
# description: |
#   `data.clearances` lists for each tag the roles that may use data with this tag. Everyone behind the request needs one of
#   them.
deny contains {
	"rule": "tags.clearance",
	"reason": sprintf("%s is not cleared for data tagged %s", [party, tag]),
} if {
	# Of the many tags that data may have, few are listed: OPA looks these up faster than a rule does.
	some tag in (tags.all & object.keys(data.clearances))
	cleared := data.clearances[tag]
	some party in parties.all
	every role in parties.roles(party) {
		not role in cleared
	}
}

# METADATA
# title: Actions on tagged data need approval
# description: |
#   `data.requirements` says for each tag and action which people must approve it. A requirement leaves as it is written
#   there, so that a misspelt key is refused and not dropped.
needs_approval contains object.union(asked, requirement) if {
	some tag in (tags.all & object.keys(data.requirements))
	requirement := data.requirements[tag][input.action.name]
	requirement != null
	asked := {
		"rule": sprintf("tags.%s.%s", [tag, input.action.name]),
		"reason": sprintf("%s of data tagged %s", [input.action.name, tag]),
	}
}
