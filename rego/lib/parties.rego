# METADATA
# title: Who is behind a request
# description: An agent and whoever it acts for are two parties; each needs what the action needs.
package lib.parties

# METADATA
# description: The identities, `type:id`, of the subject and of everyone it acts for.
all contains concat(":", [input.subject.type, input.subject.id])

all contains concat(":", [party.type, party.id]) if some party in input.on_behalf_of

# METADATA
# description: The roles of one party; an unknown one has none.
roles(party) := object.get(data.assignments, party, [])
