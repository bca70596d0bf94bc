"""What a reviewer is told beside an approval, as the contract's messages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pdp.errors import MaskPlanRefused
from pdp.service.dataset_message import assertion, step
from pdp.v1.approval_pb2 import ColumnForecast, MaskForecast, TagOrigin
from pdp.workflow.briefing import Masks

if TYPE_CHECKING:
    from pdp.lineage.explain import Reason

MAX_PROBLEM = 300
"""Characters of why a column has no mask: a table may have 2,000 of them."""


def origin(column: str, tag: str, reason: "Reason") -> TagOrigin:
    """Where a tag of a column comes from."""
    return TagOrigin(column=column, tag=tag, said=map(assertion, reason.assertions), steps=map(step, reason.steps))


def forecast(masks: Masks) -> MaskForecast:
    """What masking would do to each column."""
    return MaskForecast(
        state=masks.outlook,
        required_by=masks.required_by,
        columns=[_column(name, mask, masks.foreseen.domains) for name, mask in masks.columns],
        policy_revision=masks.foreseen.revision,
    )


def _column(
    name: str, mask: Mapping[str, Any] | MaskPlanRefused, domains: Mapping[str, Mapping[str, Any]]
) -> ColumnForecast:
    if isinstance(mask, MaskPlanRefused):
        return ColumnForecast(name=name, problem=mask.sentence[:MAX_PROBLEM])
    domain = mask.get("domain", "")
    of_domain = domains.get(domain, {}).get("mask")
    if domain and not isinstance(of_domain, str):
        return ColumnForecast(name=name, domain=domain, problem=f"no domain {domain} is declared"[:MAX_PROBLEM])
    return ColumnForecast(name=name, mask=of_domain or mask.get("mask", ""), domain=domain, rule=mask.get("rule", ""))
