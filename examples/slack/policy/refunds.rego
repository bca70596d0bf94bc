package policy

# METADATA
# title: Support refunds small amounts
allow contains {"rule": "refunds.small", "reason": "a small refund"} if {
	input.action.name == "refund"
	input.subject.type == "agent"
	input.context.euros < data.refunds.small
}

# METADATA
# title: A large refund needs two of finance, who may say so in Slack
# description: Naming a chat also lets its views show the whole request there.
needs_approval contains {
	"rule": "refunds.large",
	"reason": "a large refund",
	"reviewers": {"groups": ["finance"]},
	"count": 2,
	"channels": ["api", "web", "slack"],
	"pending_for": "4h",
	"remind": ["30m"],
} if {
	input.action.name == "refund"
	input.subject.type == "agent"
	input.context.euros >= data.refunds.small
}
