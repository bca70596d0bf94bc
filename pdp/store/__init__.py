"""MongoDB. Only this package imports pymongo, and its types and errors stay inside. Each collection has one file.

1. A map or key from a client never becomes part of a query, an update path, an `_id` or an aggregation.
2. A string from a client appears there only as a checked value inside `$eq`.
3. Requests are stored as canonical bytes.
"""
