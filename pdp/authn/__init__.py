"""Authenticates callers: a bearer token or a client certificate becomes a `Caller`."""
