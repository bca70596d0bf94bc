package policy

import data.lib.pipeline

# METADATA
# title: The pipeline deploys to the open environments
allow contains {
	"rule": "deploys.open",
	"reason": sprintf("%s is open to the pipeline", [input.resource.id]),
} if {
	pipeline.deploys
	input.resource.id in data.deploys.open
}

# METADATA
# title: A guarded environment needs one of the release team
# description: The approval is for this command, this file and this folder; another version needs another approval.
needs_approval contains {
	"rule": "deploys.guarded",
	"reason": sprintf("a deployment to %s", [input.resource.id]),
	"reviewers": {"groups": ["release-team"]},
	"pending_for": "4h",
	"valid_for": "30m",
} if {
	pipeline.deploys
	input.resource.id in data.deploys.guarded
}
