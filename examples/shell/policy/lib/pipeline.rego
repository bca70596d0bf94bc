package lib.pipeline

# METADATA
# title: One of the pipelines wants to deploy to an environment
deploys if {
	input.action.name == "deploy"
	input.resource.type == "environment"
	sprintf("%s:%s", [input.subject.type, input.subject.id]) in data.deploys.pipelines
}
