package policy

# METADATA
# title: Agents never destroy data
# description: An agent takes no action listed in `data.destructive`, with any role and on behalf of anybody.
deny contains {
	"rule": "agents.destructive",
	"reason": sprintf("agents never %s a %s; ask a person to do it", [input.action.name, input.resource.type]),
} if {
	input.action.name in data.destructive
	some party in array.concat([input.subject], input.on_behalf_of)
	party.type == "agent"
}
