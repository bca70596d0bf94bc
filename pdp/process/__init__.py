"""Child processes that die with their parent, and the places from which tools such as OPA come."""
