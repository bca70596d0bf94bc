from collections.abc import Iterator
from typing import Any

import pytest

from tests.spark import cluster


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """One session of Spark for all tests that break nothing in it. What a test sets of its conf, it resets."""
    with cluster.session() as started:
        yield started
