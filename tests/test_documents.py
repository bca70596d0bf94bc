"""What the documents name exists, and what they list is complete."""

import re
import tomllib
from pathlib import Path

import pytest
import typer

from pdp import __version__
from pdp.approval import TRANSITIONS
from pdp.cli import app, exit_code
from pdp.config import Config, Http, Tls, Webhook
from pdp.identity_source import Certificates, Issuer, SpeaksFor
from pdp.limits_settings import CallerLimits
from pdp.lineage_settings import LineageSettings, LineageWriter
from pdp.masking_settings import Masking
from pdp.slack_settings import SlackSettings
from pdp.teams_settings import TeamsSettings
from tests.documents import DOCUMENTS, PAGES, ROOT, anchors, rows, section, sections, text

CODES = {value for name, value in vars(exit_code).items() if name.isupper() and isinstance(value, int)}
TREES = ("docs", "masker", "pdp", "rego")
"""Of these ARCHITECTURE lists the folders, too, and not only themselves."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(document)):
        path, _, heading = target.partition("#")
        if not re.match("https?:", target):
            linked = (ROOT / document).parent / path if path else ROOT / document
            assert linked.is_file(), target
            assert not heading or heading in anchors(linked.resolve().relative_to(ROOT).as_posix()), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_mentioned_exist(document: str) -> None:
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")
    for path in re.findall(rf"`((?:{folders})/[\w./*-]*)", text(document)):
        if not path.startswith("build/"):
            assert list(ROOT.glob(path.rstrip("/"))), path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_that_are_mentioned_exist(document: str) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", text(document))) <= targets
    root = typer.main.get_command(app)
    for words in re.findall(r"`pdp ((?:[a-z][a-z-]* ?)+)", text(document)):
        below = root
        for word in words.split():
            if (known := getattr(below, "commands", None)) is None:
                break
            assert word in known, f"pdp {words}"
            below = known[word]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_exit_codes_that_are_mentioned_exist(document: str) -> None:
    assert {int(status) for status in re.findall(r"exit status (?:is )?(\d+)", text(document), re.IGNORECASE)} <= CODES


def test_the_exit_codes_are_those_of_the_commands() -> None:
    assert {int(status) for status, _ in rows(section("docs/reference/limits.md", "Exit codes"))} == CODES


def test_the_configuration_is_complete() -> None:
    blocks = [block for page in PAGES for found in sections(page).values() for block in found]
    (block,) = (block for block in blocks if block.language == "toml")
    for model in (
        Config,
        Issuer,
        SpeaksFor,
        Tls,
        Certificates,
        CallerLimits,
        Masking,
        Webhook,
        SlackSettings,
        TeamsSettings,
        LineageSettings,
        LineageWriter,
    ):
        for name in model.model_fields:
            assert re.search(rf"\b{name}\b", block.text), name
    everything = re.sub(r"""^# (?=\[|\w+ = |"\S+" = )""", "", block.text, flags=re.MULTILINE)
    values = tomllib.loads(everything.replace('policy = ["rules"]', ""))  # which `opa_url` takes the place of
    del values["mongodb_uri"]  # which `mongodb_uri_file` takes the place of
    config = Config.model_validate(values)
    assert config.tls
    assert values["http"].keys() == Http.model_fields.keys()
    assert config.certificates
    assert config.masking.bulk
    assert config.webhooks


def test_every_guarantee_names_tests_that_exist() -> None:
    """Each proof is [`name`](path): the path leads to a file from the document, and the file defines that test."""
    table = rows(text("docs/guarantees.md"))
    assert table
    for promise, proof in table:
        proofs = [re.fullmatch(r"\[`(test_\w+)`\]\(([^)#]+)\)", link) for link in proof.split("<br>")]
        for found in proofs:
            assert found, promise
            file = (ROOT / "docs" / found[2]).read_text()
            assert re.search(rf"^(?:async )?def {found[1]}\(", file, re.MULTILINE), f"{found[2]}: {found[1]}"


def test_every_page_is_in_the_sites_navigation() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    assert set(leaves(site["nav"])) == set(DOCUMENTS)


def leaves(navigation: object) -> list[str]:
    if isinstance(navigation, str):
        return [navigation]
    assert isinstance(navigation, list | dict)
    inner = navigation if isinstance(navigation, list) else navigation.values()
    return [leaf for entry in inner for leaf in leaves(entry)]


def test_the_readme_is_read_in_one_go() -> None:
    assert len(text("README.md").splitlines()) <= 200


def test_the_architecture_lists_every_folder_with_a_sentence() -> None:
    listed = dict(folders())
    assert len(listed) == len(list(folders()))
    assert all(re.fullmatch(r"[A-Z].+\.", sentence) for sentence in listed.values())
    assert set(listed) == {f"{path.relative_to(ROOT).as_posix()}/" for path in present()}


def folders() -> list[tuple[str, str]]:
    """The folders of both tables: the first has their floors before, and what they may import behind."""
    table = section("ARCHITECTURE.md", "Folders")
    return re.findall(r"^\|(?: \d+ \|)? `([\w/]+/)` \| (.+?) \|", table, re.MULTILINE)


def present() -> list[Path]:
    """The folders that hold files: those of the root, and one level below in the trees."""
    made = {"build", "dist", "placet.egg-info", "__pycache__"}
    top = [path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "." and path.name not in made]
    below = [path for name in TREES for path in (ROOT / name).iterdir() if path.is_dir() and path.name not in made]
    return [path for path in top + below if any(file.is_file() for file in path.rglob("*"))]


def test_the_architecture_quotes_the_states() -> None:
    steps = re.findall(r"^ *([A-Z]+) +-> (.*)$", text("ARCHITECTURE.md"), re.MULTILINE)
    quoted = {state: set(after.split(" | ")) for state, after in steps}
    assert quoted == {state: after for state, after in TRANSITIONS.items() if after}


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(__version__)}\]", text("CHANGELOG.md"), re.MULTILINE)
