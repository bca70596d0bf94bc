package lib.analysts

# METADATA
# title: An analyst asks about a table of the shop
asks if {
	sprintf("%s:%s", [input.subject.type, input.subject.id]) in data.shop.analysts
	input.resource.id in data.shop.tables
}
