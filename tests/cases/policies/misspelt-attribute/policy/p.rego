package policy

allow contains {"rule": "open", "reason": "not restricted"} if {
	not input.resource.properties.clasification == "restricted"
}
