"""The digest that a review sends of the data that was displayed, as the clients of all languages compute it."""

import hashlib
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from google.protobuf import json_format

from pdp.client import NotAsDisplayed, expected_lineage
from pdp.v1.approval_pb2 import Approval, ApprovalLineage

VECTORS: list[dict[str, Any]] = [*map(json.loads, Path("tests/cases/shown_lineages.jsonl").read_text().splitlines())]


def displayed(vector: dict[str, Any]) -> Approval:
    return Approval(lineage=json_format.ParseDict(vector["lineage"], ApprovalLineage()))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_each_vector_has_its_digest_or_is_refused(vector: dict[str, Any]) -> None:
    if "expected" in vector:
        assert expected_lineage(displayed(vector)) == vector["expected"]
        return
    with pytest.raises(NotAsDisplayed):
        expected_lineage(displayed(vector))


def test_vectors_are_of_the_form_that_the_contract_says() -> None:
    whole = [vector["lineage"] for vector in VECTORS if "expected" in vector and "truncated" not in vector["lineage"]]
    assert len(whole) >= 19
    for shown in whole:
        columns = {column["name"]: column["tags"] for column in shown.get("columns", [])}
        form = {"columns": columns, "datasets": shown.get("datasets", []), "tags": shown["tags"]}
        digest = urlsafe_b64encode(hashlib.sha256(rfc8785.dumps(form)).digest()).rstrip(b"=").decode()
        assert digest == shown["digest"]


def test_approval_without_data_needs_no_digest() -> None:
    assert not expected_lineage(Approval())
