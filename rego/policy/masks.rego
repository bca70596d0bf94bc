package policy

import data.lib.tags

# METADATA
# title: Customers leave masked
# description: |
#   The mask of each column of `data.customer_tables`, for every subject and however the caller writes the table's name.
#   `data.domains` declares the domains; columns of one domain join across tables. A column that is not listed here has no mask, so it does not leave.
mask contains {
	"rule": "customers.record",
	"reason": "the record's own number, which joins",
	"columns": ["rec_id"],
	"domain": "customer.record",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.ssn",
	"reason": "the social security number, which joins",
	"columns": ["soc_sec_id"],
	"domain": "customer.ssn",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.name",
	"reason": "names join, in upper and in lower case",
	"columns": ["given_name", "surname"],
	"domain": "customer.name",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.email",
	"reason": "an address that joins and reaches nobody",
	"columns": ["email"],
	"domain": "customer.email",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.phone",
	"reason": "a number that looks like one",
	"columns": ["phone"],
	"domain": "customer.phone",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.street",
	"reason": "nobody needs the street",
	"columns": ["street_number", "address_1"],
	"mask": "redact",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.address_2",
	"reason": "free text",
	"columns": ["address_2"],
	"mask": "nullify",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.place",
	"reason": "the first letter is enough to sort by",
	"columns": ["suburb", "state"],
	"mask": "partial",
	"keep_first": 1,
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.postcode",
	"reason": "the region",
	"columns": ["postcode"],
	"mask": "generalize",
	"to": "zip3",
} if {
	tags.table in data.customer_tables
}

mask contains {
	"rule": "customers.birth",
	"reason": "the age, capped at 90; impossible dates become null",
	"columns": ["date_of_birth"],
	"mask": "generalize",
	"to": "age",
	"at": "2026-01-01",
	"format": "%Y%m%d",
	"unfit": "null",
} if {
	tags.table in data.customer_tables
}

# METADATA
# title: Exports of customers are masked
# description: A subject that may export one of these tables must hand out only masked data.
obligation contains {
	"rule": "customers.export",
	"reason": "customers leave masked",
	"type": "mask",
	"properties": {"table": tags.table},
} if {
	input.action.name == "export"
	tags.table in data.customer_tables
}

# METADATA
# title: Unmasking needs a data steward
# description: An approval fits exactly the tokens that it was asked for.
needs_approval contains {
	"rule": "unmask.steward",
	"reason": "unmasking shows who is behind the tokens",
	"reviewers": {"groups": ["data-stewards"]},
} if {
	input.action.name == "unmask"
}
