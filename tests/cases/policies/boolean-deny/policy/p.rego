package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

deny if input.resource.id == "customers"
