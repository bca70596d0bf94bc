package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

mask contains entry if {
	input.resource.id == "customers"
	entry := {
		"rule": "m.ssn",
		"reason": sprintf("for %v", [input.context.purpose]),
		"columns": ["ssn"],
		"mask": "redact",
	}
}

mask contains {"rule": "m.rest", "reason": "the rest", "columns": ["*"], "mask": "clear"}
