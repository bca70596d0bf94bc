package policy

import data.lib.subject

allow contains {"rule": "a", "reason": "r"} if {
	input.action.name == "export"
	not subject.blocked
}
