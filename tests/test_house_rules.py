"""What a reviewer would say twice."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path()
LOCKS = {f"requirements{part}.lock" for part in ("", "-bench", "-docs", "-gen", "-ops", "-soak", "-spark", "-spark35")}
DOCUMENTS = {"ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"}
FOLDERS = {"clients", "docs", "examples", "masker", "ops", "pdp", "proto", "rego", "tests", "tools"}
EXPECTED_AT_THE_ROOT = (
    LOCKS | DOCUMENTS | FOLDERS | {"Makefile", "buf.gen.yaml", "buf.yaml", "pyproject.toml", "zensical.toml"}
)
MADE = {"build", "dist", "placet.egg-info", "__pycache__"}
PARTS = "lineage limits mail masking operations slack teams webhook"
SETTINGS = tuple(f"{part}_settings" for part in PARTS.split())
AIOHTTP = ["pdp/authn/jwks.py", "pdp/channels/teams/connector.py", "pdp/dev/", "pdp/http/", "pdp/notify/endpoint.py"]
VENDORS = {  # the one place that knows each: a file, or a folder
    "aiohttp": [*AIOHTTP, "pdp/opa/queries.py", "pdp/opa/transport.py", "pdp/server/operations.py"],
    "aiosmtplib": ["pdp/channels/mail.py"],
    "authlib": ["pdp/http/provider.py"],
    "bson": ["pdp/store/"],
    "httpx2": ["pdp/http/provider.py"],
    "jinja2": ["pdp/inbox/"],
    "grpc_reflection": ["pdp/server/running.py"],
    "jsonschema_rs": ["pdp/policy/attributes.py"],
    "opa_client": ["pdp/opa/transport.py"],
    "opentelemetry": ["pdp/telemetry.py"],
    "prometheus_client": ["pdp/server/exposition.py"],
    "presidio_analyzer": ["pdp/lineage/recognizers.py"],
    "pyarrow": ["pdp/arrow/table.py"],
    "pydantic": [f"pdp/{name}.py" for name in ("config", "identity_source", *SETTINGS)],
    "pymongo": ["pdp/store/"],
    "pyspark": ["pdp/spark/"],
    "rfc8785": ["pdp/canonical.py"],
    "rich": ["pdp/cli/"],
    "slack_sdk": ["pdp/channels/slack/"],
    "typer": ["pdp/cli/"],
    "uvloop": ["pdp/cli/serve.py", "pdp/cli/dev.py", "pdp/server/running.py"],
    "watchfiles": ["pdp/policy/live.py"],
    "yaml": ["pdp/policy/notation.py"],
}
DISTRIBUTIONS = {
    "bson": "pymongo", "google.protobuf": "protobuf", "google.rpc": "googleapis-common-protos", "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking", "grpc_reflection": "grpcio-reflection", "grpc_status": "grpcio-status",
    "llvmlite": "numba",  # which pins it
    "opa_client": "opa-python-client", "opentelemetry": "opentelemetry-sdk", "yaml": "pyyaml",
}  # fmt: skip
# Everything that decides: data and `now` in, result out.
PURE = [
    "pdp.approval", "pdp.audit.batch", "pdp.audit.event", "pdp.audit.export", "pdp.audit.one_batch", "pdp.audit.record",
    "pdp.audit.verify", "pdp.authzen", "pdp.authzen_question", "pdp.authzen_reading", "pdp.authzen_search",
    "pdp.caller", "pdp.canonical", "pdp.channels.notice", "pdp.chat_service", "pdp.claims", "pdp.decision",
    "pdp.duration", "pdp.email_address", "pdp.errors", "pdp.grant", "pdp.i_json", "pdp.identifier", "pdp.lineage.chain",
    "pdp.lineage.column_facet", "pdp.lineage.described", "pdp.lineage.entry", "pdp.lineage.event", "pdp.lineage.fact",
    "pdp.lineage.leaving", "pdp.lineage.name", "pdp.lineage.origins", "pdp.lineage.picture", "pdp.lineage.reading",
    "pdp.lineage.shape", "pdp.lineage.strict_json", "pdp.lineage.tag", "pdp.lineage.transformation", "pdp.lineage.view",
    "pdp.lineage.written", "pdp.masking.question", "pdp.notify.destination", "pdp.notify.message",
    "pdp.notify.signature", "pdp.obstacle", "pdp.policy_answer", "pdp.quiet", "pdp.requirement", "pdp.seal",
    "pdp.search_page", "pdp.semantics", "pdp.sensitivity", "pdp.sent", "pdp.session", "pdp.view.record", "pdp.view.row",
    "pdp.view.shown",
]  # fmt: skip
IMPURE = {
    "aiohttp", "asyncio", "bson", "grpc", "opa_client", "pydantic", "pymongo", "socket", "subprocess", "typer",
    "pdp.cli", "pdp.client", "pdp.config", "pdp.opa", "pdp.recording", "pdp.server", "pdp.service", "pdp.store",
    "pdp.workflow",
}  # fmt: skip
# What an install without the extra `server` must be able to load.
CLIENT = ["pdp.client", "pdp.canonical", "pdp.audit.verify", "pdp.audit.export", "pdp.dev.identity", "pdp.__main__"]
BELOW = "workflow lineage opa masking recording authn process store notify audit arrow policy"
FLOORS: dict[str, tuple[int, str]] = {
    "cli": (11, "dev server lineage masking recording authn process store notify client view audit arrow policy opa"),
    "dev": (10, "server http authn process policy masking.keys"),
    "server": (9, f"service inbox channels http {BELOW}"),
    "inbox": (8, "service http workflow view"),
    "channels": (8, "service workflow view notify store audit.record"),
    "service": (7, BELOW),
    "http": (7, "workflow lineage authn"),
    "workflow": (6, "lineage opa masking recording store audit"),
    "lineage": (5, "store audit"),
    "opa": (5, "policy process"),
    "masking": (4, "arrow audit store"),
    "recording": (4, "audit store"),
    "authn": (4, ""),
    "process": (4, "store.replica_set"),
    "spark": (3, "client arrow"),
    "store": (3, "audit notify.message"),
    "notify": (2, "audit.record"),
    "client": (2, "arrow"),
    "view": (2, ""),
    "audit": (1, ""),
    "arrow": (1, ""),
    "policy": (1, ""),
    "": (0, ""),
}
"""The folders of `pdp`: the floor of each, and what it may import. The root and the generated code are open to all."""
ENTRY = "pdp.__main__"
"""The one file of the root that may import upwards: it is where the console begins."""
MASKER_USERS = {"arrow", "cli", "masking", "policy", "service", "spark", "workflow"}
"""The folders that know the library `masker`; `masker` knows nothing of `pdp`."""
TESTED = ("pdp", "masker")
"""The packages of which each module of more than `SMALL` lines has a test file of its name."""
WRITTEN = ("pdp", "masker", "tests", "tools", "examples")
SMALL = 80
"""Lines of a module that may be tested by those who use it."""
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
FAKED = re.compile(r"MagicM" + r"ock|unittest\.m" + r"ock|mark\.sk" + r"ip|pytest\.sk" + r"ip\(")
BORROWED = Path("tests/cases/openlineage")
"""Files of others, unchanged, which name folders of their containers."""
MACHINE = re.compile(r"/(?:home|root|tmp|Users|mnt|opt(?!/placet)|wor[k])/|\.\./share[d]|file:/{3}")
TEXTS = {
    ".py", ".pyi", ".rego", ".proto", ".md", ".toml", ".json", ".jsonl", ".yaml", ".lock", ".txt", ".csv", ".go",
    ".java", ".js", ".mod", ".sh", ".sum", ".ts", ".xml", "",
}  # fmt: skip
BUILT = {"__pycache__", ".placet", "build", "dist", "node_modules", "target"}


def ours(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py") if "v1" not in path.parts)


def name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(tree(path)))


def imported(path: Path, *, at_load: bool = False) -> Iterator[str]:
    """Names of modules that a file imports; `at_load` leaves out what waits in a function."""
    for node in tree(path).body if at_load else nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_ours(module: str | None) -> bool:
    return (module or "").split(".", maxsplit=1)[0] in {"pdp", "masker"}


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(package.rstrip(".") + ".")


MODULES = {name(path): path for path in ours("pdp", "masker")}


def closure(start: str) -> set[str]:
    """Every module that loading `start` loads, ours and others'."""
    found, waiting = set[str](), [start]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        parent = module.rpartition(".")[0]
        waiting += [parent] if parent in MODULES else []
        waiting += imported(MODULES[module], at_load=True) if module in MODULES else []
    return found


def declared(*extras: str) -> set[str]:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0].lower() for line in lines}


def distribution(module: str) -> str:
    for prefix, found in DISTRIBUTIONS.items():
        if is_below(module, prefix):
            return found
    return module.split(".", maxsplit=1)[0].replace("_", "-")


def is_others(module: str) -> bool:
    top = module.split(".", maxsplit=1)[0]
    return (top not in sys.stdlib_module_names and top not in {"pdp", "masker", "google"}) or module.startswith(
        "google."
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_one_place_knows_each_vendor(vendor: str) -> None:
    places = VENDORS[vendor]
    users = {str(path) for path in ours("pdp") if any(is_below(module, vendor) for module in imported(path))}
    assert not [user for user in users if not user.startswith(tuple(places))]


@pytest.mark.parametrize("module", PURE)
def test_what_decides_is_pure(module: str) -> None:
    loads = closure(module)
    assert not {found for found in loads for impure in IMPURE if is_below(found, impure)}


@pytest.mark.parametrize("module", CLIENT)
def test_client_needs_no_more_than_its_own_dependencies(module: str) -> None:
    needed = {distribution(found) for found in closure(module) if is_others(found)}
    assert needed <= declared()


def test_every_package_that_is_imported_is_declared() -> None:
    modules = {module for path in ours("pdp", "masker") for module in imported(path) if is_others(module)}
    assert {distribution(module) for module in modules} - {"pyspark"} <= declared(
        "cli", "server", "mask", "inbox", "otel"
    )


def folder(module: str) -> str:
    """The folder of `pdp` in which a module is; empty for the root."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else ""


def modules_imported(module: str) -> set[str]:
    """Our modules that a module imports, wherever in its text, but for generated code."""
    found = set[str]()
    for node in nodes(MODULES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in below.values()}
    return {name for name in found if name in MODULES and not is_below(name, "pdp.v1")} - {module}


def test_every_folder_has_its_floor() -> None:
    folders = {path.name for path in Path("pdp").iterdir() if (path / "__init__.py").exists()}
    assert folders - {"v1"} == set(FLOORS) - {""}
    for floor, allowed in FLOORS.values():
        assert all(FLOORS[name.split(".", maxsplit=1)[0]][0] < floor for name in allowed.split())


def test_architecture_quotes_the_floors() -> None:
    row = re.compile(r"^\| (\d+) \| `pdp/(\w*)/?` \| [^|]+ \| ([^|]*)\|$", re.MULTILINE)
    rows = row.findall(Path("ARCHITECTURE.md").read_text())
    quoted = {name: (int(floor), allowed.replace(",", "").strip()) for floor, name, allowed in rows}
    assert quoted == FLOORS


@pytest.mark.parametrize("name", FLOORS)
def test_folder_imports_only_what_its_row_allows(name: str) -> None:
    allowed = [f"pdp.{other}" for other in FLOORS[name][1].split()]
    for module in [module for module in MODULES if is_below(module, "pdp") and folder(module) == name]:
        for found in modules_imported(module) - {"pdp"}:
            if is_below(found, "masker"):
                assert name in MASKER_USERS, f"{module} imports {found}"
            elif folder(found) not in {name, ""}:
                assert module == ENTRY or any(is_below(found, one) for one in allowed), f"{module} imports {found}"


def test_masker_knows_nothing_of_pdp() -> None:
    for module, path in MODULES.items():
        if is_below(module, "masker"):
            assert not [found for found in imported(path) if is_below(found, "pdp")], module


def test_what_is_ours_is_imported_under_its_own_name() -> None:
    for path in ours("pdp", "masker"):
        imports = [node for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.module]
        renamed = [alias.asname for node in imports if is_ours(node.module) for alias in node.names if alias.asname]
        assert not renamed, path


def test_imports_run_in_no_circle() -> None:
    waiting = {module: modules_imported(module) for module in MODULES}
    while free := [module for module, needed in waiting.items() if not needed & waiting.keys()]:
        for module in free:
            del waiting[module]
    assert not waiting


def where_tested(path: Path) -> Path:
    """Where a module's tests are: `tests/pdp/store/test_batches.py`, `tests/cli/test_run.py`, `tests/spark/...`."""
    folders = path.parent.parts[1:] if path.parts[:2] in {("pdp", "cli"), ("pdp", "spark")} else path.parent.parts
    return Path("tests", *folders, f"test_{path.stem}.py")


def large(*folders: str) -> list[Path]:
    """Modules of more than `SMALL` lines."""
    return [path for path in ours(*folders) if len(path.read_text().splitlines()) > SMALL]


def test_module_that_is_not_small_has_a_test_file_of_its_name() -> None:
    wanted = {str(where_tested(path)) for path in large(*TESTED)}
    assert wanted - users(r"(?m)^(?:async )?def test_", "tests") == set()


def test_functions_are_short_but_for_a_few() -> None:
    lengths = sorted(
        node.end_lineno - node.lineno + 1
        for path in ours("pdp", "masker")
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    )
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[len(lengths) * 95 // 100] <= 25


def test_only_one_file_reads_the_environment() -> None:
    assert users(r"\bos\.(?:environ|getenv)", "pdp", "masker") <= {"pdp/environment.py"}


def users(pattern: str, *folders: str) -> set[str]:
    """The files of these folders in which the pattern occurs."""
    return {str(path) for path in ours(*folders) if re.search(pattern, path.read_text())}


def test_batches_come_in_at_one_place_which_validates_them() -> None:
    door = "pdp/arrow/table.py"
    assert users(
        r"\b(?:open_(?:stream|file)|read_(?:next_|record_|all)\w*|from_(?:buffers|stream)|_import_\w+)\(", "pdp"
    ) == {door}
    [read] = re.findall(r".*read_next_batch.*", Path(door).read_text())
    assert "self._checked(" in read
    assert users(r"\.sound_batch\(", "pdp", "masker") == {"pdp/masking/job.py", "masker/file.py", "masker/run.py"}


def test_no_thread_of_pyarrow_reads_a_python_file() -> None:
    """One that does when the interpreter ends aborts the process: blocks of CSV are bytes, other files are native."""
    assert users(r"csv\.open_csv\(|read_csv\((?!pa\.BufferReader\()", "pdp", "masker") == set()
    assert users(r"ParquetFile\((?!native)", "pdp", "masker") == set()


def test_errors_become_statuses_in_one_place() -> None:
    assert users(r"context\.abort(?:_with_status)?\(", "pdp") == {"pdp/server/edge.py"}


def test_file_and_its_functions_are_short() -> None:
    for path in ours(*WRITTEN):
        lines = len(path.read_text().splitlines())
        assert lines <= (400 if path.parts[0] == "tests" else 300), path
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < 60, f"{path}: {node.name}"


def test_nothing_is_left_open_faked_or_left_out() -> None:
    assert users(UNFINISHED.pattern, *WRITTEN) | users(FAKED.pattern, *WRITTEN) == set()


def test_contract_imports_nothing_but_itself_and_google_protobuf() -> None:
    for path in Path("proto").rglob("*.proto"):
        for found in re.findall(r'^import "([^"]+)";', path.read_text(), re.MULTILINE):
            assert found.startswith(("google/protobuf/", "pdp/v1/")), path


def test_generated_code_imports_nothing_but_itself_grpc_and_protobuf() -> None:
    for path in Path("pdp/v1").glob("*.py"):
        allowed = ("google.protobuf", "grpc", "pdp.v1", "warnings")
        strange = {found for found in imported(path) if not any(is_below(found, prefix) for prefix in allowed)}
        assert strange <= {"google", "pdp"}, path


def test_root_has_only_what_people_expect_there() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - MADE <= EXPECTED_AT_THE_ROOT


def texts() -> list[Path]:
    inside = [path for folder in (*FOLDERS, ".ci") for path in Path(folder).rglob("*")]
    at_root = [path for path in ROOT.iterdir() if path.name in EXPECTED_AT_THE_ROOT]
    found = [path for path in inside + at_root if path.is_file() and path.suffix in TEXTS]
    return [path for path in found if not BUILT.intersection(path.parts)]


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not [str(path) for path in texts() if path.parent != BORROWED and MACHINE.search(path.read_text())]


@pytest.mark.parametrize("lock", sorted(map(str, ROOT.glob("requirements*.lock"))))
def test_lock_has_hashes_and_names_no_host(lock: str) -> None:
    text = Path(lock).read_text()
    assert not re.search(r"://|--index|--find-links|--extra-index|--trusted", text)
    pins = re.findall(r"^([A-Za-z0-9][^ ]*)==", text, re.MULTILINE)
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
