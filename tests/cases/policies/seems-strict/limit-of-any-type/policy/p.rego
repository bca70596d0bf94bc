package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

deny contains {"rule": "d", "reason": "too many"} if input.context.rows > 1000
