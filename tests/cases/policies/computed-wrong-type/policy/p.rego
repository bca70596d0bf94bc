package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

needs_approval contains {
	"rule": "ask",
	"reason": "ask",
	"reviewers": {"groups": ["stewards"]},
	"count": count_wanted,
} if {
	count_wanted := object.get(input.context, "count", 1)
}
