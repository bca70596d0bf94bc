package policy

import data.lib.parties

# METADATA
# title: Unclassified data leaves with an approval alone
# description: |
#   `data.unclassified` says which actions on unclassified data need approval, and from when on. Until then the record of a
#   decision notes what is unclassified.
needs_approval contains {
	"rule": "lineage.unclassified",
	"reason": "this data was not classified",
	"reviewers": {"groups": ["data-stewards"]},
} if {
	input.action.name in data.unclassified.actions
	input.now >= time.parse_rfc3339_ns(data.unclassified.asks_from)
	"unclassified" in input.lineage.tags
}

# METADATA
# title: Contact data leaves masked wherever it went
# description: The mask follows the tag through lineage, over what the table's own masks say.
mask contains {
	"rule": "lineage.contact",
	"reason": "contact data, wherever it went",
	"tags": ["contact"],
	"domain": "customer.email",
	"rank": 10,
}

# METADATA
# title: A second steward looks at what takes protection away
# description: |
#   `data.removals` are the actions that take a tag, an edge or a name away from data, which `data.roles` gives to stewards.
#   A steward alone takes away what only events said of a tag, so that a wrong event is soon mended.
needs_approval contains {
	"rule": "lineage.second_steward",
	"reason": "what people said of data, and what it inherits, goes with a second steward alone",
	"reviewers": {"groups": ["data-stewards"]},
} if {
	input.action.name in data.removals
	every party in parties.all {
		some role in parties.roles(party)
		input.action.name in data.roles[role]
	}
	[input.action.name, object.get(input.context, "sources", [])] != ["lineage.untag", ["EVENT"]]
}
