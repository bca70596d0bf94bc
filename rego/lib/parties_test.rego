package lib.parties_test

import data.lib.parties

test_subject_and_everyone_it_acts_for if {
	parties.all == {"agent:report-bot", "user:alice", "user:bob"} with input as {
		"subject": {"type": "agent", "id": "report-bot"},
		"on_behalf_of": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}],
	}
}

test_unknown_party_has_no_role if {
	parties.roles("user:eve") == []
	parties.roles("user:alice") == ["analyst"]
}
