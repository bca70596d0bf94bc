# METADATA
# title: The tags of the table in question
# description: |
#   Tags are small letters without blanks around them, and so are the names of tables in `data.table_tags` and
#   `data.customer_tables`. What a request says in another way is folded before it is compared. A caller can add tags and
#   can take none away.
package lib.tags

# METADATA
# description: The name of the resource as data writes it, so that `CRM.customers` is `crm.customers`.
table := folded(input.resource.id)

# METADATA
# description: What data says of the table and of its columns, and what the request says.
all contains folded(tag) if {
	some name in names
	some tag in data.table_tags[name]
}

all contains folded(tag) if {
	some name in names
	some listed in data.column_tags[name]
	some tag in listed
}

all contains folded(tag) if some tag in input.resource.properties.tags

# METADATA
# description: A table that data does not know. Only who reads it is believed that it is not personal.
all contains "unknown" if not is_known

all contains "pii" if {
	not is_known
	input.action.name != "read"
}

# `data.column_tags` has names as the masks need them, byte for byte.
names := {input.resource.id, table}

is_known if {
	some name in names
	data.table_tags[name]
}

is_known if {
	some name in names
	data.column_tags[name]
}

folded(text) := lower(trim_space(text))
