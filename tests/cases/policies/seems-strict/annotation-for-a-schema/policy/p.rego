package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

# METADATA
# title: Restricted data stays
# schemas:
#   - input: {type: object}
deny contains {"rule": "d", "reason": "restricted"} if {
	"restricted" in input.resource.propertys.tags
}
