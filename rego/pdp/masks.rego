# Which mask each column gets. A policy declares each domain once, in `data.domains`. It may give tags to columns, in
# `data.column_tags[table][column]`. The caller tells only the names and types of its columns.
package pdp

# METADATA
# description: |
#   For each of `input.columns`, the entries that name it; and all entries, so that the server can refuse an entry that
#   names no column (for example with a misspelt `columns`). `input` is
#   {request, caller, now, columns: [{name, type, leaf, above, also}]}. A column that contains other columns is not a leaf;
#   `above` lists the columns that contain this one. `also` is how people write a name that is odd in a path. `people` are
#   those behind the request: each requester principal with the person that it is, so that the server counts a person
#   once, under any of its names.
# entrypoint: true
masks := {
	"entries": entries,
	"columns": {column.name: found |
		some column in input.columns
		found := column_masks(column, tags, entries)
	},
	"domains": domains,
	"people": people,
	"revisions": revisions,
} if {
	requested := object.union(input.request, {"caller": input.caller, "now": input.now})
	entries := [entry | some entry in data.policy.mask] with input as requested
	tags := column_tags(input.request.resource.id)
	principals := requester_principals with input as requested
	people := {name: person(name) | some name in principals}
}

# METADATA
# description: |
#   Many answers in one query, keyed like `input.batch`. Each item replaces `input` as a whole, as in `decisions`.
# entrypoint: true
masks_each[index] := answer if {
	some index, item in input.batch
	answer := masks with input as item
}

# METADATA
# description: |
#   The entries that name the column. If no entry names it or a column that contains it, a leaf gets the entries that name
#   `*`.
column_masks(column, tags, entries) := [entry |
	some entry in entries
	names_any(entry, written(column), tags)
] if {
	some entry in entries
	names_any(entry, array.concat(written(column), column.above), tags)
} else := [entry | some entry in entries; entry.columns == ["*"]] if {
	column.leaf
} else := []

written(column) := array.concat([column.name], object.get(column, "also", []))

names_any(entry, columns, tags) if {
	some name in columns
	names(entry, name, tags)
}

names(entry, name, _) if name in entry.columns

names(entry, name, tags) if {
	some tag in entry.tags
	tag in tags[name]
}

# A policy may declare no tags and no domains. The comprehension is empty then, where a reference would be undefined.
column_tags(table) := {column: tags | some column, tags in data.column_tags[table]}

domains := {name: domain | some name, domain in data.domains}
