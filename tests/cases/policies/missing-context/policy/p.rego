package policy

deny contains {"rule": "no", "reason": "too much"} if {
	input.action.name == "pay"
	input.context.amount > 1000
}

allow contains {"rule": "yes", "reason": "the rest"} if input.action.name == "pay"
