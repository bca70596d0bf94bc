package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

mask contains {"rule": "m.ssn", "reason": "reports need no numbers", "columns": ["ssn"], "mask": "redact"} if {
	input.context.purpose == "report"
}

mask contains {"rule": "m.rest", "reason": "the rest", "columns": ["*"], "mask": "clear"}
