package policy

# METADATA
# title: Everybody reads
allow contains {
	"rule": "rules.free",
	"reason": "this needs nobody's approval",
} if {
	input.action.name in data.rules.free
}

# METADATA
# title: What changes something needs a reviewer
needs_approval contains {
	"rule": "rules.reviewed",
	"reason": "somebody looks at changes first",
	"reviewers": {"groups": ["reviewers"]},
	"count": 1,
} if {
	input.action.name in data.rules.reviewed
}

# METADATA
# title: Small exports pass
# description: The schema in `schema/context/export.json` makes `rows` a number; a request without it is refused.
allow contains {
	"rule": "rules.small",
	"reason": sprintf("exports of up to %v rows pass", [data.rules.rows]),
} if {
	input.action.name == "export"
	input.context.rows <= data.rules.rows
}

# METADATA
# title: Larger exports need a reviewer
needs_approval contains {
	"rule": "rules.large",
	"reason": sprintf("an export of more than %v rows", [data.rules.rows]),
	"reviewers": {"groups": ["reviewers"]},
	"count": 1,
} if {
	input.action.name == "export"
	input.context.rows > data.rules.rows
}

# METADATA
# title: Agents do not delete
# description: A deny beats every allow and every approval.
deny contains {
	"rule": "rules.agents",
	"reason": "agents do not delete; ask a person to do it",
} if {
	input.action.name == "delete"
	input.subject.type == "agent"
}

# METADATA
# title: People are named by tokens
# description: |
#   An address becomes a token of the domain `person.email`, so that tables still join. Other columns stay as they are.
mask contains {
	"rule": "rules.email",
	"reason": "an address names a person",
	"columns": ["email"],
	"domain": "person.email",
}

mask contains {
	"rule": "rules.clear",
	"reason": "says nothing of a person",
	"columns": ["order", "amount"],
	"mask": "clear",
}
