package policy

import data.lib.records

# METADATA
# title: Records are read by known users
allow contains {"rule": "records.read", "reason": "known users read records"} if {
	input.action.name == "read"
	records.is_known
	input.resource.type == "record"
}

# METADATA
# title: Who changes records
allow contains {"rule": "records.write", "reason": "alice writes what is not archived"} if {
	input.action.name == "write"
	records.is_alice
	input.resource.type == "record"
	object.get(input.resource.properties, "status", "active") == "active"
}

allow contains {"rule": "records.write_archived", "reason": "admins write what is archived"} if {
	input.action.name == "write"
	records.is_known
	input.subject.properties.role == "admin"
	input.resource.type == "record"
	input.resource.properties.status == "archived"
}

# METADATA
# title: Who deletes records
allow contains {"rule": "records.delete", "reason": "alice deletes what can be restored"} if {
	input.action.name == "delete"
	records.is_alice
	input.resource.type == "record"
	input.action.properties.soft == true
}
