package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

deny contains veto if some veto in input.context.vetoes
