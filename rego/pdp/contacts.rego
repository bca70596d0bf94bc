# Where and when people are told, as the data says. No decision reads it.
package pdp

# METADATA
# description: |
#   The contact of one person, as it stands in the data; an empty object where there is none. `input` is {identity}.
# entrypoint: true
contact := object.get(contacts, input.identity, {})

default contacts := {}

contacts := data.contacts if is_object(data.contacts)
