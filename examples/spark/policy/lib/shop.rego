package lib.shop

# METADATA
# title: An analyst, or an agent for one, asks about a table of the shop
asks if {
	input.resource.id in data.shop.tables
	party(input.subject) in data.shop.analysts
}

asks if {
	input.resource.id in data.shop.tables
	party(input.subject) in data.shop.agents
	count(input.on_behalf_of) > 0
	every person in input.on_behalf_of {
		party(person) in data.shop.analysts
	}
}

party(who) := sprintf("%s:%s", [who.type, who.id])
