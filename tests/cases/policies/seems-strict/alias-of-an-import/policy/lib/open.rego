package lib.open

table if input.resource.id == "nothing"
