package policy

import data.lib.gateway

allow contains {"rule": "gateway.read", "reason": "everybody with a role may read"} if {
	gateway.is_route
	input.action.name == "GET"
	gateway.roles != set()
}

allow contains {"rule": "gateway.write", "reason": "the role may change todos"} if {
	gateway.is_route
	input.action.name in {"POST", "PUT", "DELETE"}
	some role in gateway.roles
	role in data.writers
}
