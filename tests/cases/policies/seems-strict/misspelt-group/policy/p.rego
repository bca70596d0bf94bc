package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

needs_approval contains {"rule": "x", "reason": "r", "reviewers": {"groups": ["stewrads"]}} if input.action.name == "export"
