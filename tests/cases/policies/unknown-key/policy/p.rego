package policy

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

needs_approval contains {
	"rule": "ask",
	"reason": "ask",
	"reviewers": {"groups": ["stewards"]},
	"cuont": 2,
} if {
	input.resource.id == "customers"
}
