"""What a verification keeps between two runs: how far each writer was read, and the sorted claims of all records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pdp.audit.sorted_runs import Damaged, SortedRuns
from pdp.cli import exit_code, progress

if TYPE_CHECKING:
    from pdp.audit.verify import Verifier

COMMAND = "verify"


class VerifyProgress:
    """The claims of a verification, and its state file where it has one."""

    def __init__(self, folder: Path, path: Path | None, kept: dict[str, Any]) -> None:
        self._path, self._kept = path, kept
        self._claims = SortedRuns(folder, kept.get("runs"))

    @classmethod
    @contextmanager
    def opened(cls, path: Path | None) -> Iterator["VerifyProgress"]:
        """That of a state file, or of this command alone, whose claims go with it."""
        if path is None:
            with TemporaryDirectory(prefix="placet-verify-") as name:
                yield cls(Path(name), None, {})
            return
        with progress.alone(path):
            try:
                yield cls(path.with_name(path.name + ".sorted"), path, progress.read(path, COMMAND))
            except Damaged as error:
                exit_code.fail(f"{error}; begin again with another --resume file", exit_code.USAGE)

    def into(self, verifier: "Verifier") -> None:
        """Let a verifier go on where the last one was. Ends the command if that was another log."""
        from pdp.audit.gap import Gap
        from pdp.audit.verify import Chain

        verifier.claims = self._claims
        if not self._kept or self._path is None:
            return
        progress.require_log(self._path, self._kept, verifier.realm, verifier.kid)
        verifier.records = self._kept["records"]
        verifier.gaps = {held["record_id"]: Gap(**held) for held in self._kept["gaps"]}
        for number, (name, seq, head, is_closed) in enumerate(self._kept["writers"]):
            verifier.chains[name] = Chain(number, seq, bytes.fromhex(head), is_closed)
        verifier.go_on()

    def keep_up(self, verifier: "Verifier") -> None:
        """Between two batches: write the claims and the state when there is enough to write."""
        if self._claims.full:
            self.save(verifier)

    def save(self, verifier: "Verifier") -> None:
        """Write everything. Raises `OSError`; then the state is as it was."""
        self._claims.spill()
        if self._path is not None:
            chains = verifier.chains.items()
            members = {
                "realm": verifier.realm,
                "key": verifier.kid,
                "records": verifier.records,
                "runs": self._claims.runs,
                "gaps": [asdict(gap) for gap in verifier.gaps.values()],
                "writers": [[name, chain.seq, chain.head.hex(), chain.is_closed] for name, chain in chains],
            }
            progress.write(self._path, COMMAND, members)
        self._claims.forget()
