# METADATA
# title: The records, and whose they are
package lib.records

# METADATA
# description: The user who asks has records.
is_known if {
	input.subject.type == "user"
	input.subject.id in {record.owner | some record in data.records}
}

# METADATA
# description: The record in question belongs to the user who asks.
is_own if {
	input.subject.type == "user"
	input.resource.type == "record"
	data.records[input.resource.id].owner == input.subject.id
}
