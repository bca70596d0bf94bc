"""The Java client: its generated code, made by the build, its tests with the story of all languages, and its README."""

from tests.documents import ROOT
from tests.languages.clients import ran, read

TOOLS = ("java", "mvn")
FOLDER = ROOT / "clients" / "java"


def tried() -> None:
    """Raise where something fails."""
    token = ran("pdp", "token", "--as", "alice", folder=ROOT).strip()
    tests = ("-Dtest=*Test,*IT", "-Dsurefire.failIfNoSpecifiedTests=false")
    ran("mvn", "-B", "-q", "-ntp", "install", *tests, folder=FOLDER, more={"PDP_TOKEN": token})
    read("java")
