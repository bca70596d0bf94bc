package policy

# METADATA
# title: Agents never destroy data
# description: Whatever its roles, and whoever it acts for, an agent takes no action listed in `data.destructive`.
deny contains {
	"rule": "agents.destructive",
	"reason": sprintf("agents never %s a %s; ask a person to do it", [input.action.name, input.resource.type]),
} if {
	input.action.name in data.destructive
	some party in array.concat([input.subject], input.on_behalf_of)
	party.type == "agent"
}
