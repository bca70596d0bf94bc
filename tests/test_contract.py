"""The files of the contract: names in generated code."""

from pathlib import Path

import pytest
from google.protobuf.descriptor_pool import Default

import pdp.v1
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
    assert sorted(file.name for file in folder.glob("*_pb2.py")) == [f"{Path(name).stem}_pb2.py" for name in FILES]
