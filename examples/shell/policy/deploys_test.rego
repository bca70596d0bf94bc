package deploys_test

import data.pdp

decision(subject, environment) := answer if {
	answer := pdp.decision with input as {
		"subject": {"type": "agent", "id": subject, "properties": {}},
		"on_behalf_of": [],
		"action": {"name": "deploy", "properties": {}},
		"resource": {"type": "environment", "id": environment, "properties": {}},
		"context": {},
		"caller": {"identity": "agent:dev", "kind": "workload", "groups": []},
		"now": 0,
	}
}

test_staging_is_open if decision("dev", "staging").effect == "ALLOW"

test_production_needs_the_release_team if {
	answer := decision("dev", "production")
	answer.effect == "NEEDS_APPROVAL"
	[entry.reviewers | some entry in answer.requirements] == [{"groups": ["release-team"]}]
}

test_an_unknown_environment_is_denied if decision("dev", "legacy").effect == "DENY"

test_others_do_not_deploy if {
	decision("report-bot", "staging").effect == "DENY"
	decision("report-bot", "production").effect == "DENY"
}
