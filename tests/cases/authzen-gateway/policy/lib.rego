# METADATA
# title: Users of the gateway and its routes
package lib.gateway

# METADATA
# description: The roles of the user who asks.
roles := {role | input.subject.type == "identity"; some role in data.users[input.subject.id].roles}

# METADATA
# description: There is such a route, and it takes the method.
is_route if {
	input.resource.type == "route"
	input.resource.id in data.routes[input.action.name]
}
