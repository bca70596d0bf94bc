package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

mask contains {"rule": "m.pii", "reason": "personal", "tags": ["ppi"], "mask": "redact"}

mask contains {"rule": "m.rest", "reason": "the rest", "columns": ["*"], "mask": "clear"}
