# Which mask each column gets. A policy declares each domain once, in `data.domains`. It may give tags to columns, in
# `data.column_tags[table][column]`. The caller tells the name of the table, and the names and types of its columns.
#
# Who writes a table's name in small or in capital letters means the same table: its columns have the tags of all these
# names, and `"*"` with `clear` shows no column that a mask hides under one of them, or whose name is written another way.
package pdp

# METADATA
# description: |
#   For each of `input.columns`, the entries that name it; and all entries, so that the server can refuse an entry that
#   names no column (for example with a misspelt `columns`). `input` is
#   {request, caller, now, lineage, columns: [{name, type, leaf, above, also, tagged}]}. A column that contains other columns is not a leaf;
#   `above` lists the columns that contain this one. `also` is how people write a name that is odd in a path. `tagged`
#   are the tags that lineage has for the column and those above, by name. `people` are
#   those behind the request: each requester principal with the person that it is, so that the server counts a person
#   once, under any of its names.
# entrypoint: true
masks := {
	"entries": array.concat(entries, [one.entry | some one in hiding]),
	"columns": {column.name: found |
		some column in input.columns
		found := column_masks(column, tags, entries, hiding)
	},
	"domains": domains,
	"people": people,
	"revisions": revisions,
} if {
	entries := [entry | some entry in data.policy.mask] with input as requested
	known := tags_by_name(input.request.resource.id)
	tags := column_tags(known, input.columns)
	hiding := hiding_by_any_name(requested, entries, known, input.columns)
	principals := requester_principals with input as requested
	people := {name: person(name) | some name in principals}
}

# METADATA
# description: |
#   Many answers in one query, keyed like `asked`. Each item replaces `input` as a whole, as in `decisions`.
# entrypoint: true
masks_each[index] := answer if {
	some index, item in asked
	answer := masks with input as item
}

# METADATA
# description: |
#   The entries that name the column. If no entry names it or a column that contains it, a leaf gets the entries that name
#   it by another name of the table or of the column; if there is none either, those that name `*`.
column_masks(column, tags, entries, hiding) := [entry |
	some entry in entries
	names_any(entry, written(column), tags)
] if {
	some entry in entries
	names_any(entry, array.concat(written(column), column.above), tags)
} else := hidden if {
	column.leaf
	count(hiding) > 0
	names := folded_names(column)
	hidden := [one.entry | some one in hiding; one.name in names]
	count(hidden) > 0
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

# The entries that are not `clear`, by any name of the table, each with the name in small letters of a column that it
# hides. They are asked for only where an entry would show the rest.
hiding_by_any_name(requested, entries, known, columns) := by_column | by_tag if {
	count([shown | some shown in entries; clears_the_rest(shown)]) > 0
	names := {name | some column in columns; some name in folded_names(column)}
	given := [[name, tag] |
		some tags in known
		some column, of_column in tags
		name := folded(column)
		name in names
		some tag in of_column
	]
	from_lineage := [[folded(name), tag] |
		some column in columns
		some name, tags in column.tagged
		some tag in tags
	]
	found := {entry |
		some name in names_of(requested.resource.id)
		renamed := object.union(requested, {"resource": {"id": name}})
		some entry in data.policy.mask with input as renamed
		object.get(entry, "mask", "") != "clear"
	}
	by_column := {{"name": name, "entry": entry} |
		some entry in found
		some column in object.get(entry, "columns", [])
		name := folded(column)
		name in names
	}
	by_tag := {{"name": name, "entry": entry} |
		some entry in found
		tags_of := object.get(entry, "tags", [])
		count(tags_of) > 0
		some [name, tag] in array.concat(given, from_lineage)
		tag in tags_of
	}
} else := set()

folded_names(column) := {folded(name) | some name in array.concat(written(column), column.above)}

clears_the_rest(entry) if {
	entry.mask == "clear"
	entry.columns == ["*"]
}

# A table's name as it was sent, in small and in capital letters.
names_of(table) := {table, folded(table), upper(trim_space(table))}

folded(name) := lower(trim_space(name))

# A policy may declare no tags and no domains. A comprehension is empty then, where a reference would be undefined.
tags_by_name(table) := [tags | some name in names_of(table); tags := data.column_tags[name]]

column_tags(known, columns) := {name: tags |
	some column in columns
	some name in array.concat(written(column), column.above)
	from_data := {tag | some given in known; some tag in given[name]}
	tags := from_data | {tag | some tag in column.tagged[name]}
}

domains := {name: domain | some name, domain in data.domains}
