"""The options that commands which mask share."""

import pytest

from masker.arrow.formats import Layout
from masker.errors import FileRefused
from pdp.cli.scope import Scope


def test_layout_is_what_the_options_say() -> None:
    assert Scope("t").layout == Layout()
    assert Scope("t", delimiter=";", encoding="utf-16", quote="", trim=True).layout == Layout(
        ";", "utf-16", "", trim=True
    )


@pytest.mark.parametrize("options", [{"delimiter": ";;"}, {"delimiter": "\n"}, {"quote": "ä"}, {"encoding": "klingon"}])
def test_layout_that_no_text_has_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(FileRefused):
        _ = Scope("t", **options).layout  # type: ignore[arg-type]
