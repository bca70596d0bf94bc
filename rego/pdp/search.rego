# What a search looks at: the subjects, resources and actions that the data declares as candidates. Nothing is found by
# turning rules around; each candidate is asked about like any other request.
package pdp

# METADATA
# description: |
#   A page of what is declared. `input` is {kind, type, first, most}; `kind` is `subject`, `resource` or `action`, and
#   `first` counts from 0. `declared` are the kinds that have any candidates, and `all` says how many are of this type.
# entrypoint: true
candidates := {
	"declared": searchable,
	"all": count(searched),
	"page": array.slice(searched, input.first, input.first + input.most),
	"revisions": revisions,
}

searchable contains "subject" if count(data.search.subjects[_]) > 0

searchable contains "resource" if count(data.search.resources[_]) > 0

searchable contains "action" if count(data.search.actions) > 0

default searched := []

searched := data.search.subjects[input.type] if input.kind == "subject"

searched := data.search.resources[input.type] if input.kind == "resource"

searched := data.search.actions if input.kind == "action"
