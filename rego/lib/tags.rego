# METADATA
# title: The tags of the table in question
# description: |
#   Tags are small letters without blanks around them, and so are the names of tables in `data.table_tags` and
#   `data.customer_tables`. What a request says in another way is folded before it is compared. A caller can add tags and
#   can take none away. What lineage knows of the data counts, too.
package lib.tags

# METADATA
# description: The name of the resource as data writes it, so that `CRM.customers` is `crm.customers`.
table := lower(trim_space(input.resource.id))

# METADATA
# description: |
#   What data says of the table and of its columns, what lineage knows of them, and what the request says. A table that
#   data does not know is unknown where lineage is off; with lineage on it may be unclassified. Of either, only who reads it
#   is believed that it is not personal.
all contains lower(trim_space(tag)) if some tag in known[_]

all contains lower(trim_space(tag)) if some tag in input.resource.properties.tags

all contains tag if some tag in input.lineage.tags

all contains "unknown" if {
	known == set()
	lineage_is_off
}

all contains "pii" if {
	known == set()
	nobody_has_said
	input.action.name != "read"
}

nobody_has_said if lineage_is_off

nobody_has_said if "unclassified" in input.lineage.tags

lineage_is_off if object.get(input, ["lineage", "state"], "OFF") == "OFF"

# The lists of tags that data has for the table.
known contains data.table_tags[names[_]]

known contains data.column_tags[names[_]][_]

# `data.column_tags` has names as the masks need them, byte for byte.
names := {input.resource.id, table}
