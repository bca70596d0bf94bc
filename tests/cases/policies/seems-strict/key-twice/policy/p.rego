package policy

allow contains {"rule": "a", "reason": "r"}

deny contains {"rule": "d", "reason": "blocked"} if input.subject.id in data.blocked
