"""The double of Slack that `pdp dev --slack` and tests run: it enforces Slack's documented rules."""
