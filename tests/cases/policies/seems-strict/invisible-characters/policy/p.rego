package policy

allow contains {"rule": "a", "reason": "r"}

# only ‮⁦ if admin ⁩⁦
deny contains {"rule": "d", "reason": "no exports"} if input.action.name == "ex​port"
