package contacts_test

import data.pdp

bob := {"email": "bob@example.com", "quiet": "22:00-07:00 Europe/Berlin"}

test_contact_is_what_the_data_says if {
	found := pdp.contact with data.contacts as {"user:bob": bob} with input as {"identity": "user:bob"}
	found == bob
}

test_person_without_a_contact_has_an_empty_one if {
	found := pdp.contact with data.contacts as {"user:bob": bob} with input as {"identity": "user:carol"}
	found == {}
}

test_data_of_another_shape_is_no_contact if {
	found := pdp.contact with data.contacts as ["user:bob"] with input as {"identity": "user:bob"}
	found == {}
}
