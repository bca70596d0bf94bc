package policy


deny contains {"rule": "d", "reason": "customers stay here"} if input.resource.id == "customers"
