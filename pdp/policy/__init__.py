"""Checks an author's folders of Rego, data and schemas, and builds a bundle from them."""
