"""The log: records in batches, each writer's batches chained and signed, so that tampering shows.

`record`, `batch`, `verify` and `export` are pure; `writer` makes batches durable.
"""
