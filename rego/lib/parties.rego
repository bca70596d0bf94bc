# METADATA
# title: The parties behind a request
# description: An agent and the person it acts for are two parties. Each needs every right that the action needs.
package lib.parties

# METADATA
# description: The identities, `type:id`, of the subject and of everyone it acts for.
all contains concat(":", [input.subject.type, input.subject.id])

all contains concat(":", [party.type, party.id]) if some party in input.on_behalf_of

# METADATA
# description: |
#   The roles of one party. An unknown party has no roles. A reference reads one party's entry, where `object.get` would
#   read everybody's.
default roles(_) := []

roles(party) := data.assignments[party]
