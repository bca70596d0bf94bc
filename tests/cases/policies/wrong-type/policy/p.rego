package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

deny contains "not this table" if input.resource.id == "customers"
