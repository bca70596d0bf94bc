package policy


allow contains {"rule": "a", "reason": "one table"} if {
	input.action.name == "export"
	count(input.context.tables) <= 10
}
