package lib.subject

blocked if input.subject.properties.status == "blocked"
