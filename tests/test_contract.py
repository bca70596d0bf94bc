"""The files of the contract: names in generated code."""

import re
from pathlib import Path

import pytest
from google.protobuf.descriptor_pool import Default

import pdp.v1
from pdp import deadline
from pdp.caller import ROLES
from pdp.server.edge import LIMITS, STREAM_SECONDS
from tests.documents import ROOT

OPTIONS = {
    "csharp_namespace": "Placet.Pdp.V1",
    "go_package": "placet/clients/go/pdp/v1;pdpv1",
    "java_multiple_files": True,
    "java_package": "dev.placet.pdp.v1",
    "objc_class_prefix": "PLCT",
    "php_namespace": "Placet\\Pdp\\V1",
    "ruby_package": "Placet::Pdp::V1",
    "swift_prefix": "PlacetPdpV1",
}
"""What generated code is called in other languages: callers import these names, and `buf breaking` as we use it does
not guard them."""
FILES = sorted(file.relative_to(ROOT / "proto").as_posix() for file in ROOT.glob("proto/**/*.proto"))


@pytest.mark.parametrize("name", FILES)
def test_each_file_has_the_options_of_every_language(name: str) -> None:
    __import__(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    options = Default().FindFileByName(name).GetOptions()
    assert {field.name: value for field, value in options.ListFields()} == OPTIONS


def test_generated_code_is_that_of_the_files() -> None:
    folder = Path(next(iter(pdp.v1.__path__)))
    assert sorted(file.name for file in folder.glob("*_pb2.py")) == sorted(
        f"{Path(name).stem}_pb2.py" for name in FILES
    )


def said(rpc: str) -> str:
    """What the contract says of an RPC's time."""
    service, name = rpc.split("/")
    for file in FILES:
        _, _, rest = (ROOT / "proto" / file).read_text().partition(f"service {service.removeprefix('pdp.v1.')} {{")
        if found := re.search(rf"// Time: ([^\n]+)\.\n  rpc {name}\((stream )?\w+\) returns \((stream )?", rest):
            return "both " * bool(found[2]) + "stream " * bool(found[3]) + found[1]
    return ""


@pytest.mark.parametrize("rpc", ROLES)
def test_each_rpc_says_how_long_it_may_take(rpc: str) -> None:
    most, default = LIMITS.get(rpc, deadline.MAX_SECONDS), LIMITS.get(rpc, deadline.default(rpc))
    also = f"{most:g} s, also where the client sets no deadline"
    plain = also if default == most else f"{default:g} s where the client sets no deadline, {most:g} s at most"
    minutes = f"{STREAM_SECONDS / 60:g} min"
    both = f"{minutes}, or the `stream_seconds` of GetServerInfo, and {deadline.IDLE_SECONDS:g} s without a message"
    assert said(rpc) in {plain, f"stream {minutes}", f"both stream {both}"}
