package policy

deny contains {"rule": "no", "reason": "no"} if input.resource.id == "orders"
