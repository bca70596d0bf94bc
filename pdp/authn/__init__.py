"""Who calls: bearer tokens and client certificates -> `Caller`."""
