package policy

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
