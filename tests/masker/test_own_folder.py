import os
import stat

import pytest

from masker.own_folder import OwnFolder, _is_own


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "kernels"


def test_what_was_written_is_read_and_nobody_else_may_enter(path):
    folder = OwnFolder.at(path)
    folder.write("a", b"one")
    folder.write("b", b"")
    folder.write("a", b"two")
    again = OwnFolder.at(path)
    assert [again.read(name) for name in ("a", "b", "c")] == [b"two", b"", None]
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()} == {0o600}
    assert {file.name for file in path.iterdir()} == {"a", "b"}


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o720, 0o750, 0o777])
def test_folder_that_others_may_enter_is_refused(path, mode):
    path.mkdir(parents=True)
    path.chmod(mode)
    assert OwnFolder.at(path) is None


def test_only_what_is_this_users_is_own():
    own, other = (os.stat_result((0o40700, 0, 0, 1, user, 0, 0, 0, 0, 0)) for user in (os.geteuid(), os.geteuid() + 1))
    assert _is_own(own, 0o077)
    assert not _is_own(other, 0o077)


def test_link_and_file_are_no_folder_and_where_none_can_be_made_is_none(path, tmp_path):
    elsewhere, file = tmp_path / "elsewhere", tmp_path / "file"
    elsewhere.mkdir(mode=0o700)
    file.write_bytes(b"")
    path.parent.mkdir()
    path.symlink_to(elsewhere)
    assert OwnFolder.at(path) is None
    assert OwnFolder.at(file) is None
    assert OwnFolder.at(file / "kernels") is None


def test_every_damage_of_a_file_makes_it_one_that_is_not_there(path):
    folder = OwnFolder.at(path)
    folder.write("a", b"machine code")
    whole = (path / "a").read_bytes()
    for at in range(len(whole)):
        (path / "a").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert folder.read("a") is None
        (path / "a").write_bytes(whole[:at])
        assert folder.read("a") is None
    (path / "b").write_bytes(whole)
    assert folder.read("b") is None
    folder.write("a", b"machine code")
    assert folder.read("a") == b"machine code"


def test_file_that_others_may_write_a_link_and_a_pipe_are_not_read(path):
    folder = OwnFolder.at(path)
    folder.write("a", b"code")
    (path / "link").symlink_to(path / "a")
    os.mkfifo(path / "pipe", 0o600)
    (path / "folder").mkdir()
    assert [folder.read(name) for name in ("a", "link", "pipe", "folder")] == [b"code", None, None, None]
    (path / "a").chmod(0o620)
    assert folder.read("a") is None


def test_where_nothing_can_be_written_nothing_happens(path):
    folder = OwnFolder.at(path)
    (path / "a").mkdir()
    folder.write("a", b"code")
    assert [file.name for file in path.iterdir()] == ["a"]
    (path / "a").rmdir()
    path.rmdir()
    folder.write("a", b"code")
    assert folder.read("a") is None
