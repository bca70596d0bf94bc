package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

needs_approval contains object.union(asked, data.requirement) if {
	input.resource.id == "customers"
	asked := {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["stewards"]}}
}
