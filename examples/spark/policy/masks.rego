package policy

import data.lib.shop

# METADATA
# title: E-mail addresses join
# description: |
#   One domain for all tables, so that equal addresses get equal tokens, whether Spark masks them or the command line.
mask contains {
	"rule": "shop.email",
	"reason": "an address that joins and that no mail reaches",
	"columns": ["email"],
	"domain": "shop.email",
} if {
	input.resource.id in data.shop.tables
}

mask contains {
	"rule": "shop.name",
	"reason": "the name is not needed",
	"columns": ["name"],
	"mask": "redact",
} if {
	input.resource.id in data.shop.tables
}

# METADATA
# title: What says nothing about a person stays
# description: A column that no rule names fails the whole table, so `clear` must be said.
mask contains {
	"rule": "shop.rest",
	"reason": "says nothing about a person by itself",
	"columns": ["city", "spent", "topic"],
	"mask": "clear",
} if {
	input.resource.id in data.shop.tables
}

# METADATA
# title: Analysts mask the tables of the shop
allow contains {
	"rule": "shop.analysts",
	"reason": "an analyst masks a table of the shop",
} if {
	input.action.name == "mask"
	shop.asks
}

# METADATA
# title: Personal data leaves by an agent with the privacy team alone
# description: |
#   The tag is that of the raw table. Lineage carried it here, and the caller cannot talk it away. Where no lineage came,
#   the data is unclassified, and that asks for people, too.
needs_approval contains {
	"rule": "shop.agents",
	"reason": "an agent lets data leave that comes from personal data",
	"reviewers": {"groups": ["privacy-team"]},
} if {
	input.action.name == "mask"
	input.subject.type == "agent"
	shop.asks
	some tag in input.lineage.tags
	tag in {"pii", "unclassified"}
}

# METADATA
# title: Unmasking needs the privacy team
# description: The caller names the table, so the rule asks for the domain, too. The server knows it by the tokens.
needs_approval contains {
	"rule": "shop.unmask",
	"reason": "unmasking shows who is behind a token",
	"reviewers": {"groups": ["privacy-team"]},
} if {
	input.action.name == "unmask"
	shop.asks
	input.context.domains == ["shop.email"]
}

# METADATA
# title: A steward says where a tag ends
allow contains {
	"rule": "shop.declassify",
	"reason": "a steward looked at what the masks made of the data",
} if {
	input.action.name == "lineage.declassify"
	shop.party(input.subject) in data.shop.stewards
}
