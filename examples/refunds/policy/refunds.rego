package policy

# METADATA
# title: Small refunds pass
# description: An amount up to `data.refunds.limits.free` needs no approval.
allow contains {
	"rule": "refunds.small",
	"reason": sprintf("refunds up to %v euros pass", [data.refunds.limits.free]),
} if {
	input.action.name == "refund"
	input.resource.properties.amount <= data.refunds.limits.free
}

# METADATA
# title: Larger refunds need a manager
needs_approval contains {
	"rule": "refunds.manager",
	"reason": sprintf("a refund of more than %v euros", [data.refunds.limits.free]),
	"reviewers": {"groups": ["managers"]},
	"count": 1,
	"pending_for": "8h",
} if {
	input.action.name == "refund"
	input.resource.properties.amount > data.refunds.limits.free
	input.resource.properties.amount <= data.refunds.limits.manager
}

# METADATA
# title: Very large refunds need two people of finance
needs_approval contains {
	"rule": "refunds.finance",
	"reason": sprintf("a refund of more than %v euros", [data.refunds.limits.manager]),
	"reviewers": {"groups": ["finance"]},
	"count": 2,
	"pending_for": "8h",
	"individual": true,
} if {
	input.action.name == "refund"
	input.resource.properties.amount > data.refunds.limits.manager
}

# METADATA
# title: A refund long after the delivery needs a manager, even a small one
needs_approval contains {
	"rule": "refunds.late",
	"reason": sprintf("the order came more than %v days ago", [data.refunds.limits.days]),
	"reviewers": {"groups": ["managers"]},
	"count": 1,
	"pending_for": "8h",
} if {
	input.action.name == "refund"
	input.context.days_since_delivery > data.refunds.limits.days
}

# METADATA
# title: Only the refund desk makes refunds
# description: A deny beats every allow and every approval, so the rules above do not repeat it.
deny contains {
	"rule": "refunds.desk",
	"reason": "only the refund desk makes refunds",
} if {
	input.action.name == "refund"
	not sprintf("%s:%s", [input.subject.type, input.subject.id]) in data.refunds.desk
}

# METADATA
# title: There are no refunds on a closed day
# description: |
#   `input.now` is the server's clock in nanoseconds, UTC; the weekday is the one in `data.refunds.time_zone`. An
#   approval that was given on Friday is refused on Saturday, because the policy decides again when it is used.
deny contains {
	"rule": "refunds.closed",
	"reason": sprintf("there are no refunds on a %s", [today]),
} if {
	input.action.name == "refund"
	today := time.weekday([input.now, data.refunds.time_zone])
	today in data.refunds.closed
}
