"""An author's folders of Rego, data and schemas: what they must satisfy, and how they become a bundle."""
