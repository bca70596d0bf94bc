"""Mask jobs on Spark: one decision, many parts, one record. `mask_job` says how.

Spark itself is the cluster's: Placet brings none.
"""

from masker.errors import MaskRefused
from pdp.spark.job import mask_job

__all__ = ["MaskRefused", "mask_job"]
