# Which identities belong to which people. People are data: `data.identities[identity]` has `owners` (of a workload) and
# `same_as` (other identities of the same person), `data.groups[group]` lists identities. An identity is `<type>:<id>`,
# compared byte for byte.
#
# `pdp policy build` turns them into the maps `data.pdp.people`, so that a query reads only who is asked about:
#   person[identity]           the person's name, where a person has several identities
#   identities[person]         these identities
#   behind[person]             the people who own it, also by way of others
#   members[group][identity]   true
#   first[group]               the members to show, where a group has too many to show all
# Without a bundle (`opa test`, `opa eval`) the data itself is walked. A bundle without the maps has no revision, so nobody
# is allowed.
package pdp

# METADATA
# description: |
#   Everyone who must not review this request: subject, chain and caller, the owners of each, and every other
#   identity of the same people.
requester_principals := requesters | graph.reachable(belongs_to, requesters) if {
	is_walked
} else := requesters | {name |
	some requester in requesters
	own := person(requester)
	some one in array.concat([own], behind(own))
	some name in identities_of(one)
}

default behind(_) := []

behind(one) := data.pdp.people.behind[one]

identities_of(one) := names if {
	names := data.pdp.people.identities[one]
} else := [one]

# METADATA
# description: The requester principals that have no owner. They are accountable for the request.
owners := [principal |
	some principal in requester_principals
	not is_owned(principal)
]

is_owned(principal) if behind(person(principal)) != []

is_owned(principal) if {
	is_walked
	some name in (graph.reachable(same_person, {principal}) | {principal})
	some _ in data.identities[name].owners
}

requesters := {identity(input.subject), input.caller.identity} | {identity(subject) | some subject in input.on_behalf_of}

identity(subject) := concat(":", [subject.type, subject.id])

# METADATA
# description: One name for all identities of a person, so that two identities of one person count once.
person(name) := min({name} | graph.reachable(same_person, {name})) if {
	is_walked
} else := known if {
	known := data.pdp.people.person[name]
} else := name

# METADATA
# description: |
#   Whether the data makes the identity a member of the group. Rules should ask this, and not walk `data.groups[group]`:
#   it costs the same in a group of ten and of a hundred thousand.
is_member(name, group) if data.pdp.people.members[group][name]

is_member(name, group) if {
	is_walked
	name in data.groups[group]
}

has_maps if data.pdp.people.format == 1

is_walked if not data.system.bundles

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
