"""Makes records durable, and projects them for lists."""
