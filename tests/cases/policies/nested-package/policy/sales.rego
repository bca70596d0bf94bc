package policy.sales

deny contains {"rule": "no", "reason": "no"} if input.resource.id == "customers"
