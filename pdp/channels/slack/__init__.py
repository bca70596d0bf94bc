"""Slack: how notices and views are drawn there, and what its people send back. The only user of slack_sdk."""
