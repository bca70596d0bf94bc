package policy

import data.lib.todo

# METADATA
# title: Everybody known reads
allow contains {"rule": "todo.read", "reason": "known users read users and todos"} if {
	input.action.name in {"can_read_user", "can_read_todos"}
	todo.user
}

# METADATA
# title: Who makes todos
allow contains {"rule": "todo.create", "reason": "admins, editors and evil geniuses create todos"} if {
	input.action.name == "can_create_todo"
	todo.has_role({"admin", "editor", "evil_genius"})
}

# METADATA
# title: Who changes todos
allow contains {"rule": "todo.update_any", "reason": "evil geniuses update every todo"} if {
	input.action.name == "can_update_todo"
	todo.has_role({"evil_genius"})
}

allow contains {"rule": "todo.update_own", "reason": "admins and editors update their own todos"} if {
	input.action.name == "can_update_todo"
	todo.has_role({"admin", "editor"})
	todo.is_own
}

# METADATA
# title: Who deletes todos
allow contains {"rule": "todo.delete_any", "reason": "admins delete every todo"} if {
	input.action.name == "can_delete_todo"
	todo.has_role({"admin"})
}

allow contains {"rule": "todo.delete_own", "reason": "editors delete their own todos"} if {
	input.action.name == "can_delete_todo"
	todo.has_role({"editor"})
	todo.is_own
}
