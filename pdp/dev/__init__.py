"""What `pdp dev` and `pdp demo` run: a stack on this machine, and its demo people."""
