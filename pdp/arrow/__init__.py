"""Arrow data in and out of messages, with checks against data that is hostile."""
