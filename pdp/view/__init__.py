"""What people are shown of an approval: one model, which the terminal, the pages and the chats each render.

1. It holds all of the request, in a fixed order. Two requests that differ have models that differ.
2. A plain text in it is ours, and one sentence or word; each text of somebody else is a `Theirs`.
"""
