"""The table of errors in docs/wire.md."""

import re

from pdp.errors import PdpError
from pdp.reasons import NOT_ALLOWED, NOT_FOUND
from pdp.server.running import running
from pdp.service.mask import MaskService
from tests.documents import ROOT, rows, section

SENT = [file for file in ROOT.glob("pdp/**/*.py") if not file.is_relative_to(ROOT / "pdp/v1")]


def test_reason_that_is_raised_has_a_meaning() -> None:
    code = "\n".join(file.read_text() for file in SENT)
    assert set(re.findall(r'NotFound\(\s*"([A-Z_]+)"', code)) == NOT_FOUND.keys()
    raised = set(re.findall(r'(?:NotAllowed|Obstacle)\(\s*"([A-Z_]+)"', code))
    assert raised >= NOT_ALLOWED.keys()
    assert raised - NOT_ALLOWED.keys() == {"APPROVAL_NOT_PENDING", "ALREADY_REVIEWED"}, "raised as errors of their own"


def below(kind: type[PdpError]) -> set[type[PdpError]]:
    return {kind}.union(*(below(one) for one in kind.__subclasses__()))


def test_table_has_every_error_that_a_server_sends() -> None:
    assert running, MaskService  # what imports every part of a server
    kinds = [kind for kind in below(PdpError) if not re.match(r"pdp\.(client|cli|spark)\b|tests", kind.__module__)]
    told = {(code, reason.strip("`")) for code, reason, *_ in rows(section("docs/wire.md", "Errors"))}
    sent = {  # without those that commands and clients alone raise
        (kind.code, kind.reason)
        for kind in kinds
        if kind.reason
        not in {"GRANT_INVALID", "SETUP", "POLICY_REFUSED", "NOT_REPLAYABLE", "NOT_AS_DISPLAYED", "NOT_READY"}
    }
    many = {("PERMISSION_DENIED", reason) for reason in NOT_ALLOWED} | {("NOT_FOUND", reason) for reason in NOT_FOUND}
    bare = {("PERMISSION_DENIED", "INTERNAL"), ("NOT_FOUND", "INTERNAL")}
    assert (sent | many) - bare <= told
    assert len(told & sent) > 25
