"""What a reviewer is told beside an approval, as the contract's messages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pdp.errors import MaskPlanRefused
from pdp.lineage.fact import Dataset
from pdp.service import message
from pdp.v1.approval_pb2 import ApprovalDataset, ColumnForecast, MaskForecast, TagOrigin, TagSaid, TagStep
from pdp.workflow.briefing import Masks

if TYPE_CHECKING:
    from pdp.lineage.explain import Assertion, Reason, Step

MAX_PROBLEM = 300
"""Characters of why a column has no mask: a table may have 2,000 of them."""


def origin(column: str, tag: str, reason: "Reason") -> TagOrigin:
    """Where a tag of a column comes from."""
    return TagOrigin(column=column, tag=tag, said=map(_said, reason.assertions), steps=map(_step, reason.steps))


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


def _said(value: "Assertion") -> TagSaid:
    return TagSaid(
        dataset=_dataset(value.dataset),
        column=value.column,
        tag=value.tag,
        source=value.source,
        by=value.by,
        at=message.timestamp(_moment(value.what.at)),
        reason=value.what.reason,
        confidence=value.what.confidence,
    )


def _step(value: "Step") -> TagStep:
    return TagStep(
        source=_dataset(value.source),
        source_column=value.source_column,
        dataset=_dataset(value.dataset),
        column=value.column,
        way=value.way.name,
        how=value.how,
        job_namespace=value.job[0],
        job_name=value.job[1],
        run=value.run,
        by=value.by,
        at=message.timestamp(_moment(value.at)) if value.at else None,
        coarse=value.is_coarse,
    )


def _dataset(value: Dataset) -> ApprovalDataset:
    return ApprovalDataset(namespace=value.namespace, name=value.name)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
