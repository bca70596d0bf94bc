package policy

# Rules about load tests.

# METADATA
# title: Nobody exports customers
deny contains {"rule": "d", "reason": "customers stay here"} if input.resource.id == "customers"
