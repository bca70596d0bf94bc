package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

needs_approval contains {"rule": "n", "reason": "r", "reviewers": {"groups": ["stewards"]}} if input.action.name == "export"
