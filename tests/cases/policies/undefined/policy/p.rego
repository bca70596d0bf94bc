package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

deny contains {"rule": "no", "reason": sprintf("vetoed by %s", [input.context.veto])} if {
	input.resource.id == "customers"
}
