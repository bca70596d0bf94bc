# METADATA
# title: Users of the Todo application and what is theirs
package lib.todo

# METADATA
# description: The user who asks; undefined for strangers.
user := data.users[input.subject.id] if input.subject.type == "user"

# METADATA
# description: The user has one of `roles`.
has_role(roles) if {
	some role in user.roles
	role in roles
}

# METADATA
# description: The todo in question belongs to the user.
is_own if input.resource.properties.ownerID == user.email
