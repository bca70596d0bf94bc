# The questions of a query, each as the rules read it.
package pdp

# METADATA
# description: |
#   The questions by index, each with what is known of its data. Questions that share that refer to one of `input.views`: a
#   view is sent once.
asked[index] := item if some index, item in input.batch

asked[index] := object.union(one.item, {"lineage": view}) if {
	some index, one in input.sharing
	view := input.views[one.view]
}

# METADATA
# description: |
#   The request of a question that has more members than a request, as rules read a request.
requested := object.union(input.request, {
	"caller": input.caller,
	"now": input.now,
	"lineage": object.get(input, "lineage", {"state": "OFF"}),
})
