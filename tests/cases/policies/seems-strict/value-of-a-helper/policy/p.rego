package policy

import data.lib.words

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

needs_approval contains {"rule": "x", "reason": words.label, "reviewers": {"groups": ["stewards"]}} if {
	input.action.name == "export"
}
