"""Memory that is freed stays where it is used again at once; in a process of its own, as it holds for a whole one."""

import subprocess
import sys

FAULTS = """
import resource, sys
from pdp.process import malloc
if sys.argv[1] == "keep":
    malloc.keep_freed()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    held = [bytes(3_000_000 + number) for number in range(4)]
    del held
before = faults()
for _ in range(50):
    held = [b"x" * (3_000_000 + number) for number in range(4)]
    del held
print(faults() - before)
"""


def _faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True).stdout)


def test_memory_that_was_freed_is_not_faulted_in_again() -> None:
    assert _faults("keep") * 10 < _faults("leave")
