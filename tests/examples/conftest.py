from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.visit import Visit


@pytest.fixture
def visit(tmp_path: Path) -> Callable[[str], Visit]:
    """Copies an example, by name, into an empty folder."""
    return lambda name: Visit(name, tmp_path)
