"""The stack that `pdp dev` and `pdp demo` run on this machine, and its demo people."""
