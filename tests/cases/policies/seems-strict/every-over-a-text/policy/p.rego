package policy


allow contains {"rule": "a", "reason": "all tags are public"} if {
	input.action.name == "export"
	every tag in input.resource.properties.tags {
		tag in data.public_tags
	}
}
