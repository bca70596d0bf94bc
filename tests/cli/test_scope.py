"""The options of a scope, as a command that has them says and sends them."""

import inspect
from typing import Any

import pytest
import typer
from google.protobuf import json_format

from masker.arrow.formats import Layout
from masker.errors import FileRefused
from pdp.cli.scope import Scope, scope_command
from pdp.client import Client
from pdp.v1.mask_pb2 import MaskScope
from tests.parts import Placet

ALWAYS = {"table", "subject", "on_behalf_of", "context"}
CHOSEN = {"request_id", "approval_id", "justification", "masked_key_version"}


async def nothing(session: Any, scope: Scope, own: str = "") -> None:
    """A command."""


@pytest.mark.parametrize("more", [(), ("request_id",), ("approval_id", "justification", "masked_key_version")])
def test_command_has_the_shared_options_those_it_names_and_its_own(more: tuple[str, ...]) -> None:
    app = typer.Typer()
    app.command()(scope_command(*more)(nothing))
    options = {parameter.name: parameter.opts for parameter in typer.main.get_command(app).params}
    assert {*ALWAYS, *more, "own"} <= options.keys()
    assert options.keys().isdisjoint({*CHOSEN} - {*more})
    assert all(f"--{name.replace('_', '-')}" in options[name] for name in (*ALWAYS, *more))


def test_table_alone_must_be_given() -> None:
    required = [name for name, field in inspect.signature(Scope).parameters.items() if field.default is field.empty]
    assert required == ["table"]


async def test_message_is_what_the_options_say(server: Placet) -> None:
    scope = Scope(
        "crm.customers",
        subject="agent:report-bot",
        on_behalf_of=["user:alice"],
        context=["purpose=audit", "rows=3"],
        request_id="r-1",
        approval_id="apr_1",
        justification="for the audit",
        masked_key_version=2,
    )
    async with Client(server.address, server.metadata("report-bot")[0][1].removeprefix("Bearer ")) as client:
        made = await scope.message(client)
    wanted = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "table": "crm.customers",
        "context": {"purpose": "audit", "rows": 3},
        "requestId": "r-1",
        "approvalId": "apr_1",
        "justification": "for the audit",
        "maskedKeyVersion": 2,
    }
    assert made == json_format.ParseDict(wanted, MaskScope())


async def test_without_a_subject_the_caller_itself_acts(server: Placet) -> None:
    async with Client(server.address, server.metadata("alice")[0][1].removeprefix("Bearer ")) as client:
        made = await Scope("crm.customers").message(client)
    assert (made.subject.type, made.subject.id) == ("user", "alice")
    assert not made.on_behalf_of


def test_layout_is_what_the_options_say() -> None:
    assert Scope("t").layout == Layout()
    assert Scope("t", delimiter=";", encoding="utf-16", quote="", trim=True).layout == Layout(
        ";", "utf-16", "", trim=True
    )


@pytest.mark.parametrize("options", [{"delimiter": ";;"}, {"delimiter": "\n"}, {"quote": "ä"}, {"encoding": "klingon"}])
def test_layout_that_no_text_has_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(FileRefused):
        _ = Scope("t", **options).layout  # type: ignore[arg-type]
