package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

deny contains {"rule": sprintf("d.%d", [i]), "reason": "r"} if {
	some i in numbers.range(1, 300000)
	input.action.name == "write"
}
