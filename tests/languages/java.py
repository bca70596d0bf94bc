"""The Java client: its generated code, made by the build, its tests with the story of all languages, and its README."""

from pdp import __version__
from tests.documents import ROOT
from tests.languages.clients import ran, ran_beside_tls, read

TOOLS = ("java", "mvn")
FOLDER = ROOT / "clients" / "java"


def tried() -> None:
    """Raise where something fails."""
    for pom in (FOLDER / "pom.xml", FOLDER / "client/pom.xml", FOLDER / "arrow/pom.xml"):
        assert f"<version>{__version__}</version>" in pom.read_text(), f"{pom} has not Placet's version"
    token = ran("pdp", "token", "--as", "alice", folder=ROOT).strip()
    tests = ("-Dtest=*Test,*IT", "-Dsurefire.failIfNoSpecifiedTests=false")
    ran_beside_tls("mvn", "-B", "-q", "-ntp", "install", *tests, folder=FOLDER, more={"PDP_TOKEN": token})
    read("java")
