package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

needs_approval contains {"rule": "x", "reason": $"export of {input.context.rows} rows", "reviewers": {"groups": ["stewards"]}} if {
	input.action.name == "export"
}
