"""Generated from proto/pdp/v1 by `make gen`; never edited."""
