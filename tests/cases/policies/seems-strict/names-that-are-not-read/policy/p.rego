package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"
