"""The driver's warnings about a connection string come as our sentences, which name the option and no value."""

import gc

import pytest

from pdp.errors import StoreUnavailable
from pdp.store.database import Database
from pdp.store.driver import remarks

REMARKS = {
    "replicSet=rs0": "the driver does not know the option replicSet; mend its name, or leave it out",
    "replicaSet=rs0&replicaset=rs1": "the option replicaset stands there twice; keep one",
    "compressors=x": "the driver goes on without what compressors names: it does not know it, or lacks its package",
    "journal=maybe": "the value of journal does not fit, so its default counts; mend it",
    "readPreference=secret": "the value of readPreference does not fit, so its default counts; mend it",
}


@pytest.mark.parametrize(("options", "wanted"), REMARKS.items(), ids=REMARKS.keys())
def test_remark_names_the_option(options: str, wanted: str) -> None:
    assert remarks(f"mongodb://user:secret@host:27017/?{options}") == [wanted]


@pytest.mark.parametrize("uri", ["mongodb://host", "mongodb://host/?replicaSet=rs0&w=majority&tls=true", "no URI"])
def test_good_options_have_no_remark(uri: str) -> None:
    assert remarks(uri) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed")
async def test_log_has_our_sentence_and_no_warning_of_the_driver(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StoreUnavailable):
        await Database.open("mongodb://127.0.0.1:1/?replicSet=rs0", "x")
    assert caplog.messages == [
        "mongodb_uri: the driver does not know the option replicSet; mend its name, or leave it out"
    ]
    gc.collect()  # the driver does not close the socket of a handshake that failed; its warning is of this test
