"""Microsoft Teams: how notices and dialogs are drawn there, and what its people send back. It uses no vendor's SDK."""
