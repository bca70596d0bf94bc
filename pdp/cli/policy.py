"""`pdp policy`: checks, tests and builds a policy before it is used."""

from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import attack, authoring, exit_code, replay
from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.say import say, tell

app = typer.Typer(name="policy", help="Begin, check, test, attack, try and build a policy.", no_args_is_help=True)
authoring.add_to(app)
attack.add_to(app)
replay.add_to(app)

_Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[DIR]...", help="Folders of Rego and data; by default the reference policy."),
]


_Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The server's configuration, whose types the identities of the data must have."
    ),
]


@app.command()
def check(
    folders: _Folders = None,
    config: _Config = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of the policy in force; the checked policy must keep its domains."),
    ] = None,
) -> None:
    """Find rules that would fail open, fail to load or surprise.

    It prints a line for each finding, and warnings to stderr. Exit status: 0 there are no findings, else 3.
    """
    from pdp.policy.check import checked, domains
    from pdp.policy.sources import read
    from pdp.process import toolcache

    try:
        opa = toolcache.opa(Environment.read().tool_cache)
        in_force = domains(opa, read(against)) if against else {}
        findings, warnings = checked(opa, _or_reference(folders), in_force, _types(config))
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.POLICY_ERROR)
    for warning in warnings:
        say(f"warning: {warning}")
    for finding in findings:
        tell(str(finding))
    if findings:
        raise typer.Exit(exit_code.POLICY_ERROR)
    say("the policy is fine")


@app.command()
def build(
    folders: _Folders = None,
    config: _Config = None,
    output: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file to write.")] = Path("bundle.tar.gz"),
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of the policy in force; the new policy must keep its domains."),
    ] = None,
) -> None:
    """Build the bundle for an OPA that you run yourself.

    It is the one that `serve` builds for its own OPA; `opa_url` names yours. The command prints the revision, which is
    of the files' content. Exit status: 0 it is built, else 3, and the file stays as it was.
    """
    from pdp.policy.bundle import built
    from pdp.policy.check import domains
    from pdp.policy.sources import read
    from pdp.process import toolcache

    try:
        opa = toolcache.opa(Environment.read().tool_cache)
        in_force = domains(opa, read(against)) if against else {}
        done = built(opa, read(_or_reference(folders)), output, output.absolute().parent, in_force, _types(config))
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.POLICY_ERROR)
    except OSError as error:
        exit_code.fail(f"{output} cannot be written ({error.strerror}); name another file", exit_code.POLICY_ERROR)
    for warning in done.warnings:
        say(f"warning: {warning}")
    tell(done.revision)


@app.command()
def test(
    folders: _Folders = None,
    coverage: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of every file that the tests must reach.")
    ] = 0,
    core: Annotated[bool, typer.Option("--core", help="Run and count the tests of the core, too.")] = False,
) -> None:
    """Run the tests that lie beside the policy, together with the core. Exit status: 0 all pass, else 4."""
    from pdp.policy.test import outcome
    from pdp.process import toolcache

    try:
        result = outcome(toolcache.opa(Environment.read().tool_cache), _or_reference(folders), core=core)
    except SetupError as error:
        exit_code.fail(error.sentence, exit_code.POLICY_ERROR)
    for name, passed in result.tests.items():
        tell(f"{'ok    ' if passed else 'FAILED'}  {name}")
    if result.report:
        say(result.report)
    if not result.tests:
        exit_code.fail("there are no tests; put NAME_test.rego beside NAME.rego", exit_code.POLICY_TESTS_FAILED)
    for file, covered in result.coverage.items():
        if covered.percent < coverage:
            lines = ", ".join(map(str, covered.missed))
            say(f"{file}: {covered.percent:.0f} % covered, not reached: line {lines}")
    if not result.passed or not result.covers(coverage):
        raise typer.Exit(exit_code.POLICY_TESTS_FAILED)


def _types(config: Path | None) -> frozenset[str]:
    """The types that a configuration knows; none if no configuration is given."""
    from pdp.config import load

    return load(config).known_types if config else frozenset()


def _or_reference(folders: list[Path] | None) -> list[Path]:
    from pdp.policy.sources import rego

    return folders or [rego()]
