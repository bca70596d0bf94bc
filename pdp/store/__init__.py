"""MongoDB: the only package that imports pymongo; one file a collection. Its types and errors stay inside.

Client-supplied maps and keys never become part of a query, an update path, an `_id` or an aggregation; client-supplied
strings only as checked values inside `$eq`. Stored requests are canonical bytes.
"""
