package policy

import data.lib.analysts

# METADATA
# title: E-mail addresses join
# description: |
#   The two columns have different names and one domain, so that equal addresses get equal tokens in both tables.
mask contains {
	"rule": "shop.email",
	"reason": "an address that joins and that no mail reaches",
	"columns": ["email", "buyer_email"],
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

mask contains {
	"rule": "shop.born",
	"reason": "the year is enough",
	"columns": ["born"],
	"mask": "generalize",
	"to": "year",
	"format": "%Y-%m-%d",
} if {
	input.resource.id in data.shop.tables
}

# METADATA
# title: What says nothing about a person stays
# description: A column that no rule names fails the whole table, so `clear` must be said.
mask contains {
	"rule": "shop.rest",
	"reason": "says nothing about a person by itself",
	"columns": ["city", "order_id", "amount"],
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
	analysts.asks
}

# METADATA
# title: Unmasking needs the privacy team
# description: |
#   The approval fits the very tokens that were asked for, once. The caller names the table, so the rule asks for the
#   domain, too: the server knows it by the tokens.
needs_approval contains {
	"rule": "shop.unmask",
	"reason": "unmasking shows who is behind a token",
	"reviewers": {"groups": ["privacy-team"]},
} if {
	input.action.name == "unmask"
	analysts.asks
	input.context.domains == ["shop.email"]
}
