"""What makes records durable, and lists them."""
