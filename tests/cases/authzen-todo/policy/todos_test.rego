package todos_test

import data.pdp

users := {
	"rick": {"email": "rick@example.com", "roles": ["admin", "evil_genius"]},
	"morty": {"email": "morty@example.com", "roles": ["editor"]},
	"jerry": {"email": "jerry@example.com", "roles": ["viewer"]},
}

allowed(user, action, owner) if {
	answer := pdp.decision with data.users as users with input as {
		"subject": {"type": "user", "id": user, "properties": {}},
		"on_behalf_of": [],
		"action": {"name": action, "properties": {}},
		"resource": {"type": "todo", "id": "1", "properties": {"ownerID": sprintf("%s@example.com", [owner])}},
		"context": {},
		"caller": {"identity": sprintf("user:%s", [user]), "kind": "person", "groups": []},
		"now": 0,
	}
	answer.effect == "ALLOW"
}

test_everybody_known_reads if {
	every user in ["rick", "morty", "jerry"] {
		allowed(user, "can_read_user", "rick")
		allowed(user, "can_read_todos", "rick")
	}
	not allowed("evil-morty", "can_read_todos", "rick")
}

test_viewers_create_nothing if {
	allowed("rick", "can_create_todo", "rick")
	allowed("morty", "can_create_todo", "morty")
	not allowed("jerry", "can_create_todo", "jerry")
}

test_updates if {
	allowed("rick", "can_update_todo", "morty")
	allowed("morty", "can_update_todo", "morty")
	not allowed("morty", "can_update_todo", "rick")
	not allowed("jerry", "can_update_todo", "jerry")
}

test_deletes if {
	allowed("rick", "can_delete_todo", "jerry")
	allowed("morty", "can_delete_todo", "morty")
	not allowed("morty", "can_delete_todo", "rick")
	not allowed("jerry", "can_delete_todo", "jerry")
}
