"""Mask jobs on Spark: one decision, many parts, one record. `mask_job` says how.

Spark itself is the cluster's: Placet brings none.
"""

from pdp.spark.job import mask_job
from pdp.spark.refused import MaskRefused

__all__ = ["MaskRefused", "mask_job"]
