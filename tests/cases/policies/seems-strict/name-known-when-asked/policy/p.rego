package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

deny contains {"rule": "d", "reason": "restricted"} if {
	some key in ["tagz"]
	"restricted" in input.resource.properties[key]
}
