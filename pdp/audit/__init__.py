"""The log: records in batches, each writer's batches chained and signed, so that tampering shows.

All of it is pure; `pdp.recording` makes batches durable.
"""
