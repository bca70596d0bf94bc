package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

needs_approval contains {"rule": "x", "reason": team, "reviewers": {"groups": [team]}} if {
	input.action.name == "export"
	team := data.table_owners[input.resource.id]
}
