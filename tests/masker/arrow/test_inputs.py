"""A pipe is read until nobody waits for it."""

import os
import threading

import pytest

from masker.arrow.formats import Layout
from masker.arrow.inputs import binary
from masker.arrow.sources import source
from masker.errors import FileRefused


def test_a_file_is_read_and_cannot_be_stopped(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    file, stop = binary(str(tmp_path / "a.csv"))
    with file:
        stop()
        assert file.read() == b"a\n1\n"


def test_a_read_that_waits_for_a_pipe_ends_when_it_is_stopped(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDWR), "wb", buffering=0) as writer:  # noqa: PTH123  # it has no reader yet
        file, stop = binary(str(tmp_path / "pipe"))
        writer.write(b"begun")
        assert file.read1() == b"begun"
        seen = []
        reading = threading.Thread(target=lambda: seen.append(caught(file)))
        reading.start()
        stop()
        reading.join(30)
        assert seen == ["nobody reads this pipe any more"]
        stop()
        file.close()
        stop()


def caught(file):
    try:
        return file.read1()
    except OSError as error:
        return str(error)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_fifo_is_no_place_for_what_is_read_from_its_end(tmp_path, form):
    os.mkfifo(tmp_path / "pipe")
    mark = b"PAR1" if form == "parquet" else b"ARROW1"
    with open(os.open(tmp_path / "pipe", os.O_RDWR), "wb", buffering=0) as writer:  # noqa: PTH123
        writer.write(mark * 8)
        with pytest.raises(FileRefused, match="cannot come through a pipe"):
            source(str(tmp_path / "pipe"), form, Layout())
