"""What `--help` shows beside the options: an example of each command, and the groups in which commands are listed."""

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTIONS = {
    "Ask": ("authorize", "run", "whoami", "token"),
    "Approve": ("approvals", "inbox"),
    "Mask": ("mask", "unmask", "keys"),
    "Know the data": ("lineage",),
    "Prove": ("audit", "grant"),
    "Write policies": ("policy",),
    "Run a server": ("dev", "demo", "serve", "doctor", "healthcheck", "mongo", "notify", "people"),
}
"""The commands by what people want to do; one that is new stands under "More" until it is in here."""
EXAMPLES = {
    "authorize": (
        "pdp authorize --as report-bot --subject agent:report-bot --action read --resource table:customers",
        "pdp authorize -f request.json --dry-run",
        "pdp authorize -f requests.jsonl -o jsonl",
        "pdp authorize -f - --block-exit 2 < request.json",
    ),
    "run": ("pdp run --action deploy --resource environment:production --wait 1h -- ./release.sh 1.2.3",),
    "whoami": ("pdp whoami --as bob", "pdp whoami --token-file /var/run/secrets/placet"),
    "token": ("pdp token --as report-bot",),
    "inbox": ("pdp inbox --as bob", "pdp inbox --web"),
    "dev": ("pdp dev", "pdp dev --policy policy -- pytest"),
    "demo": ("pdp demo",),
    "serve": ("pdp serve --config placet.toml",),
    "doctor": ("pdp doctor --config placet.toml",),
    "people end": ("pdp people end user:bob --config placet.toml",),
    "mongo init": ("pdp mongo init --uri mongodb://127.0.0.1:27017",),
    "mongo roles": ("pdp mongo roles --database placet",),
    "healthcheck": ("pdp healthcheck --wait 30",),
    "unmask": ("pdp unmask masked.csv --to plain.csv --table crm.customers --column email",),
    "approvals list": (
        "pdp approvals list",
        "pdp approvals list --queue --as bob",
        "pdp approvals list --in-my-name --as alice",
    ),
    "approvals show": ("pdp approvals show apr_0190a5b2",),
    "approvals approve": ("pdp approvals approve apr_0190a5b2 --as bob --reason 'needed for the report'",),
    "approvals deny": ("pdp approvals deny apr_0190a5b2 --as bob --reason 'not this table'",),
    "approvals send-back": ("pdp approvals send-back apr_0190a5b2 --reason 'fewer rows' --suggest request.json",),
    "approvals revoke": ("pdp approvals revoke apr_0190a5b2 --as bob --reason 'the partner left'",),
    "approvals history": (
        "pdp approvals history --state denied --as bob",
        "pdp approvals history --in-my-name --action export --all -o jsonl",
    ),
    "approvals take-back": ("pdp approvals take-back apr_0190a5b2 --as bob",),
    "approvals cancel": ("pdp approvals cancel apr_0190a5b2",),
    "approvals outcome": ("pdp approvals outcome apr_0190a5b2 succeeded --detail '2000 rows'",),
    "approvals wait": ("pdp approvals wait apr_0190a5b2 --timeout 1h",),
    "approvals watch": ("pdp approvals watch --as bob -o jsonl",),
    "mask plan": ("pdp mask plan --schema customers.csv --table crm.customers",),
    "mask run": (
        "pdp mask run customers.csv --to masked.csv --table crm.customers",
        "cat rows.jsonl | pdp mask run - --format jsonl --table crm.customers | head -1",
    ),
    "mask rewrap": ("pdp mask rewrap masked.csv --to new.csv --table crm.customers",),
    "mask jobs list": ("pdp mask jobs list --state running", "pdp mask jobs list --all -o json --as dana"),
    "mask jobs show": ("pdp mask jobs show job_0190a5b2",),
    "mask jobs cancel": ("pdp mask jobs cancel job_0190a5b2 --reason 'wrong table' --as alice",),
    "lineage load": ("pdp lineage load events.jsonl --as etl", "zcat events.gz | pdp lineage load --dry-run -"),
    "lineage suggest": (
        "pdp lineage suggest customers.csv",
        "pdp lineage suggest customers.parquet --table crm.customers --map email=contact --propose --as bob",
    ),
    "lineage show": (
        "pdp lineage show reports.weekly --as bob",
        "pdp lineage show s3://lake/reports/weekly --upstream 9",
    ),
    "lineage path": ("pdp lineage path postgres://crm:5432/crm.public.customers table:reports.weekly",),
    "lineage why": ("pdp lineage why table:reports.weekly --column mail --tag pii --as bob",),
    "lineage coverage": ("pdp lineage coverage --as bob",),
    "lineage problems": ("pdp lineage problems --all --as bob",),
    "lineage tags add": (
        "pdp lineage tags add postgres://crm:5432/crm.public.customers --column email pii --as bob",
        "pdp lineage tags add project.set.table pii --namespace bigquery",
    ),
    "lineage tags classify": ("pdp lineage tags classify crm.customers email=pii,contact id created_at --as bob",),
    "lineage tags list": ("pdp lineage tags list crm.customers",),
    "lineage tags export": ("pdp lineage tags export --as bob",),
    "lineage tags load": ("pdp lineage tags load tags.json --as bob",),
    "lineage suggestions list": ("pdp lineage suggestions list --state rejected",),
    "lineage suggestions accept": ("pdp lineage suggestions accept sug_Vd3n0x --as bob",),
    "lineage suggestions reject": ("pdp lineage suggestions reject sug_Vd3n0x --reason 'order numbers' --as bob",),
    "lineage untag": (
        "pdp lineage untag crm.customers pii --column note --reason 'no names in it' --revision 1204 --as bob",
    ),
    "lineage end-edge": (
        "pdp lineage end-edge s3://lake/raw/people table:stats --reason 'only counts' --revision 1204 --as bob",
    ),
    "lineage unlink": (
        "pdp lineage unlink s3://lake/a hive://m:9083/db.a --reason 'a copy by now' --revision 1204 --as bob",
    ),
    "lineage declassify": (
        "pdp lineage declassify stats.ages pii --column band --reason 'bands of ten years' --revision 1204 --as bob",
        "pdp lineage declassify s3://share/customers pii --reason 'masked by a job' --revision 1204 --as bob",
    ),
    "audit list": ("pdp audit list --effect DENY --all -o jsonl",),
    "audit show": ("pdp audit show rec_0190a5b2",),
    "audit export": ("pdp audit export log.jsonl", "pdp audit export log.jsonl --resume export.json"),
    "audit verify": (
        "pdp audit verify --as dana",
        "pdp audit verify log.jsonl --key audit-keys.json",
        "pdp audit verify --resume verify.json --token-file token",
    ),
    "audit accept-gap": ("pdp audit accept-gap --since anchor.json --reason 'the restore of 3 May' --as dana",),
    "grant verify": ("pdp grant verify --request request.json - < grant.txt",),
    "policy init": ("pdp policy init policy",),
    "policy eval": (
        "pdp policy eval policy --subject agent:my-agent --action write --resource table:orders",
        "pdp policy eval policy -f request.json --explain",
    ),
    "policy check": ("pdp policy check policy", "pdp policy check policy --against policy-in-force"),
    "policy test": ("pdp policy test policy --coverage 100",),
    "policy attack": ("pdp policy attack policy", "pdp policy attack policy -f requests.jsonl"),
    "policy replay": (
        "pdp policy replay dec_01890a5d-ac96-774b-bcce-b302099a8057 --policy policy",
        "pdp policy replay dec_01890a5d-ac96-774b-bcce-b302099a8057 --policy policy --from log.jsonl",
    ),
    "policy build": ("pdp policy build policy --to bundle.tar.gz",),
    "keys list": ("pdp keys list mask.json",),
    "keys rotate": ("pdp keys rotate mask.json --realm production",),
    "keys retire": ("pdp keys retire mask.json 1",),
    "keys split": ("pdp keys split /etc/placet/keys",),
    "notify test": ("pdp notify test reviewers --config placet.toml", "pdp notify test mail --config placet.toml"),
}
"""Command lines by command. Each of them parses; a test says so."""


class Sections(TyperGroup):
    """The root, whose help lists the commands by `SECTIONS`."""

    def format_commands(self, _: Any, formatter: Any) -> None:
        """Write one list for each section that has commands."""
        known = [name for names in SECTIONS.values() for name in names]
        others = tuple(name for name in self.commands if name not in known)
        width = formatter.width - 6 - max(map(len, self.commands))
        for title, names in {**SECTIONS, "More": others}.items():
            rows = [(name, self.commands[name].get_short_help_str(width)) for name in names if name in self.commands]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def add_to(app: typer.Typer) -> None:
    """Give each command of `app` its examples, behind what its help says otherwise."""
    for path, command in _commands(app, ""):
        if lines := EXAMPLES.get(path):
            command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _commands(app: typer.Typer, path: str) -> "Iterator[tuple[str, Any]]":
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield f"{path}{name}".replace("_", "-"), command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from _commands(group.typer_instance, f"{path}{group.typer_instance.info.name} ")
