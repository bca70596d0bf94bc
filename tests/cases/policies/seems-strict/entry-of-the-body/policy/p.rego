package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

needs_approval contains entry if {
	input.action.name == "export"
	entry := {
		"rule": "x.rows",
		"reason": sprintf("export of %v rows", [input.context.rows]),
		"reviewers": {"groups": ["stewards"]},
	}
}
