package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"
