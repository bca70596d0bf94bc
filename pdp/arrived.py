"""A message of a stream that has arrived and was not read yet: as bytes it takes a tenth of what it takes once read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arrived(Generic[T]):
    """A message of `size` bytes. `read` raises `InvalidRequest` where it is not one of the RPC."""

    size: int
    read: Callable[[], T]
