package policy

import data.lib.records

allow contains {"rule": "record.owner", "reason": "the record is the user's own"} if {
	records.is_own
	input.action.name in {"view", "edit", "delete"}
}

allow contains {"rule": "record.colleague", "reason": "everybody who has records may view the others'"} if {
	records.is_known
	input.action.name == "view"
	input.resource.type == "record"
	data.records[input.resource.id]
}
