"""Masks for tables: millions of values a second, joins intact, policy in charge.

`plan` compiles rules and a schema into a MaskPlan and refuses what does not fit. `mask`, `unmask` and `rewrap` run the
plan on anything that speaks the Arrow C stream interface.
"""

from masker.errors import FileRefused, KeyRefused, MaskError, PlanRefused, ValueRefused
from masker.keys import Keyring, Kms
from masker.plan import MaskPlan, plan
from masker.records import leaf_paths, plan_records, record_table
from masker.run import Masker, mask, rewrap, unmask

__all__ = [
    "FileRefused",
    "KeyRefused",
    "Keyring",
    "Kms",
    "MaskError",
    "MaskPlan",
    "Masker",
    "PlanRefused",
    "ValueRefused",
    "leaf_paths",
    "mask",
    "plan",
    "plan_records",
    "record_table",
    "rewrap",
    "unmask",
]
