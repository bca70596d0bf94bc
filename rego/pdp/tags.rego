# How tags travel through lineage.
package pdp

# METADATA
# description: |
#   What `data.tags` declares of each tag: whether it travels at all, whether a mask ends it, and whether edges carry it that
#   only filter, join, group or sort. A tag that is not declared travels, masks mark it, and such edges do not carry it.
# entrypoint: true
tags := {
	"tags": {tag: object.union(travels, object.remove(declared, ["description"])) |
		some tag, declared in data.tags
		is_object(declared)
	},
	"revisions": revisions,
}

travels := {"propagate": true, "on_mask": "mark", "indirect": "stop"}
