# Which mask each column gets. A policy declares each domain once, in `data.domains`, and may give columns tags, in
# `data.column_tags[table][column]`; what the caller says of its columns is only their names and types.
package pdp

# METADATA
# description: |
#   For each of `input.columns` the entries that name it, and all entries, so that one that names nothing (a misspelt
#   `columns`) is refused and not overlooked. `input` is {request, caller, now, columns: [{name, type, leaf, above}]}:
#   a nested column is not a leaf, `above` are those around a column.
# entrypoint: true
masks := {
	"entries": entries,
	"columns": {column.name: found |
		some column in input.columns
		found := column_masks(column, tags, entries)
	},
	"domains": domains,
	"revisions": revisions,
} if {
	requested := object.union(input.request, {"caller": input.caller, "now": input.now})
	entries := [entry | some entry in data.policy.mask] with input as requested
	tags := column_tags(input.request.resource.id)
}

# METADATA
# description: What names the column itself; where nothing does, nor a column around it, what names `*`.
column_masks(column, tags, entries) := [entry | some entry in entries; names(entry, column.name, tags)] if {
	some name in array.concat([column.name], column.above)
	some entry in entries
	names(entry, name, tags)
} else := [entry | some entry in entries; entry.columns == ["*"]] if {
	column.leaf
} else := []

names(entry, name, _) if name in entry.columns

names(entry, name, tags) if {
	some tag in entry.tags
	tag in tags[name]
}

# A policy may have neither; an empty comprehension then stands where a reference would be undefined.
column_tags(table) := {column: tags | some column, tags in data.column_tags[table]}

domains := {name: domain | some name, domain in data.domains}
