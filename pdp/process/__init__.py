"""Child processes that die with their parent, and where tools such as OPA come from."""
