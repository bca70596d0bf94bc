package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

deny contains {"rule": "no", "reason": "no"} if to_number(input.context.amount) > 1000
