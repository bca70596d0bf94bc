# Which identities belong to which people. People are data: `data.identities[identity]` has `owners` (of a workload) and
# `same_as` (other identities of the same person), `data.groups[group]` lists identities. An identity is `<type>:<id>`,
# compared byte for byte.
package pdp

# METADATA
# description: |
#   Everyone who must not review this request: subject, chain and caller, the owners of each, and every other
#   identity of the same people.
requester_principals := requesters | graph.reachable(belongs_to, requesters)

# METADATA
# description: The requester principals that have no owner. They are accountable for the request.
owners := [principal |
	some principal in requester_principals
	not is_owned(principal)
]

is_owned(principal) if some _ in data.identities[principal].owners

requesters := {identity(input.subject), input.caller.identity} | {identity(subject) | some subject in input.on_behalf_of}

identity(subject) := concat(":", [subject.type, subject.id])

# METADATA
# description: One name for all identities of a person, so that two identities of one person count once.
person(name) := min({name} | graph.reachable(same_person, {name}))

# `same_as` applies in both directions, `owners` only from the owned to the owner.
same_person[name] contains other if {
	some name, entry in data.identities
	some other in entry.same_as
}

same_person[name] contains other if {
	some other, entry in data.identities
	some name in entry.same_as
}

belongs_to[name] contains other if {
	some name, others in same_person
	some other in others
}

belongs_to[name] contains other if {
	some name, entry in data.identities
	some other in entry.owners
}

# `graph.reachable` reaches only vertices that are keys, so an owner without an entry of its own points at itself.
belongs_to[name] contains name if {
	some entry in data.identities
	some name in entry.owners
}
