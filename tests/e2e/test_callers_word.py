"""What a caller says of a table, under the reference policy."""

from typing import Any

import pytest

from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking


def exported(table: str, **properties: Any) -> Any:
    return asking("export", dryRun=True, resource={"type": "table", "id": table, "properties": properties})


@pytest.mark.parametrize("said", [{}, {"tags": []}, {"tags": ["PII"]}, {"tags": [" pii"]}, {"tags": ["public"]}])
@pytest.mark.parametrize("table", ["crm.customers", "CRM.customers", " crm.customers", "a.copy.of.customers"])
async def test_whatever_the_caller_says_personal_data_is_exported_with_approval(
    server: Placet, table: str, said: dict[str, Any]
) -> None:
    answer = await server.authorize(exported(table, **said))
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert [reason.rule for reason in answer.reasons] == ["tags.pii.export"]


async def test_what_the_caller_says_may_restrict(server: Placet) -> None:
    assert (await server.authorize(exported("weather"))).effect == Effect.EFFECT_ALLOW
    assert (await server.authorize(exported("weather", tags=["Restricted"]))).effect == Effect.EFFECT_DENY
