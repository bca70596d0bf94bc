package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

deny contains {"rule": "d", "reason": "blocked"} if input.subject.id in data.blocked.agnets
