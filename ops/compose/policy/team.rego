package policy

# METADATA
# title: The team exports
allow contains {"rule": "exports.team", "reason": "the subject is on the team"} if {
	input.action.name == "export"
	input.subject.id in {"etl"}
}
