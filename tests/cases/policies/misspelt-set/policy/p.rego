package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

denny contains {"rule": "no", "reason": "no"} if input.resource.id == "customers"
