"""Arrow in and out of messages, and everything hostile about it."""
