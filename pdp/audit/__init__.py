"""The audit log: records in batches. Each writer's batches are chained and signed, so that tampering is detected.

All of it is pure; `pdp.recording` makes batches durable.
"""
