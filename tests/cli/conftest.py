from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.parts import Placet


@pytest.fixture
def pdp(server: Placet, tmp_path: Path) -> Terminal:
    """Commands against the shared server, in an empty folder."""
    return Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
