# METADATA
# title: The users of the scenario
package lib.records

# METADATA
# description: The user is one of the scenario.
is_known if {
	input.subject.type == "user"
	input.subject.id in {"alice", "bob"}
}

# METADATA
# description: The user is alice.
is_alice if {
	input.subject.type == "user"
	input.subject.id == "alice"
}
