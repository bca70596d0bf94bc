"""A line says what happened, and no text of others becomes a line or steers a terminal."""

import json
import logging
import re
import sys
from contextvars import copy_context
from typing import Any

import pytest

from pdp import correlation
from pdp.errors import NotFound
from pdp.log_line import MAX_BYTES, JsonForm, TextForm, exception, members_of, message_of, shown

AT = 1764526218.4361
HOSTILE = 'x\n{"level":"error","message":"forged"}\r\x1b[2J\u202e\u009b\u2028\x85\x7f'


def record(message: str, *arguments: object, **more: Any) -> logging.LogRecord:
    return logging.LogRecord("pdp.x", logging.WARNING, "", 0, message, arguments, more.get("exc_info"))


def line(form: JsonForm | TextForm, made: logging.LogRecord) -> str:
    return form.line(made.levelno, made.name, message_of(made), members_of(made), AT).decode()


def failed(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except type(error):
        return record("failed", exc_info=sys.exc_info())


def test_line_of_json_has_its_parts() -> None:
    def made() -> str:
        correlation.begin("a1", correlation.trace_parent([f"00-{'ab' * 16}-{'cd' * 8}-01"]))
        told = record("it is %s", "so")
        told.error_id = "e7"
        return line(JsonForm(worker=2), told)

    assert json.loads(copy_context().run(made)) == {
        "time": "2025-11-30T18:10:18.436Z",
        "level": "warning",
        "logger": "pdp.x",
        "message": "it is so",
        "request_id": "a1",
        "trace_id": "ab" * 16,
        "error_id": "e7",
        "worker": 2,
    }


def test_line_of_json_has_nothing_that_is_not_known() -> None:
    assert json.loads(line(JsonForm(), record("x"))).keys() == {"time", "level", "logger", "message"}


def test_time_goes_on_within_a_second_and_behind_it() -> None:
    form = JsonForm()
    times = [json.loads(form.line(20, "x", "x", {}, at))["time"] for at in (1.0005, 1.9999, 2.5)]
    assert [time[17:] for time in times] == ["01.000Z", "01.999Z", "02.500Z"]


def test_hostile_text_forges_no_line_of_json() -> None:
    told = line(JsonForm(), record("it said %s", HOSTILE))
    assert len(told.splitlines()) == 1
    assert json.loads(told)["message"].startswith("it said x\n{")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u202e]", told.rstrip("\n"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", json.loads(told)["message"])


def test_hostile_text_forges_no_line_of_text() -> None:
    told = line(TextForm(), record("it said %s", HOSTILE))
    first, *behind = told.splitlines()
    assert first == "WARNING pdp.x: it said x"
    assert all(one.startswith("    ") for one in behind)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", told)


def test_text_that_is_no_text_is_shown() -> None:
    assert json.loads(line(JsonForm(), record("%s", "\ud800")))["message"] == "\\u{d800}"


@pytest.mark.parametrize("text", ["x" * 9000, "\u6f22" * 9000, "\x1b" * 9000])
def test_long_line_is_cut_to_what_a_pipe_takes_in_one_piece(text: str) -> None:
    told = line(JsonForm(), record("%s", text))
    assert len(told.encode()) <= MAX_BYTES
    assert json.loads(told)["message"].endswith("…")


def test_exception_shows_kinds_and_places_and_no_text() -> None:
    try:
        try:
            int("canary7f3a")
        except ValueError as cause:
            raise KeyError("canary7f3a") from cause
    except KeyError as error:
        told = exception(error)
    assert "canary" not in told
    assert [one for one in told.splitlines() if not one.startswith("at ")] == ["KeyError", "ValueError"]
    assert "at tests/pdp/test_log_line.py:" in told


def test_exception_of_ours_and_of_the_system_has_its_words() -> None:
    assert exception(NotFound("X", "there is nothing")) == "NotFound: there is nothing"
    assert exception(OSError(28, "No space left on device", "canary")) == "OSError: No space left on device"


def test_exception_is_a_member_of_json_and_below_a_line_of_text() -> None:
    told = json.loads(line(JsonForm(), failed(KeyError("canary"))))
    assert (told["message"], told["exception"].splitlines()[0]) == ("failed", "KeyError")
    assert line(TextForm(), failed(KeyError("canary"))).splitlines()[:2] == ["WARNING pdp.x: failed", "    KeyError"]


def test_arguments_that_do_not_fit_cost_no_line() -> None:
    assert message_of(record("%d of %d", "x")) == "%d of %d"


def test_plain_text_stays_as_it_is() -> None:
    assert shown("a line, of our own: 100 %") == "a line, of our own: 100 %"
