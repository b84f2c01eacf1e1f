"""Files are written whole or not at all, and read compressed or not."""

import gzip
import io
import os
import stat

import pytest

from rapideval.errors import FormatError, InputError
from rapideval.formats import Source, whole_file, whole_folder


def test_a_file_appears_whole_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "a.json"
    with whole_file(target) as file:
        file.write(b"one")
        assert not target.exists()
    assert target.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_failure_leaves_the_old_file_as_it_was(tmp_path):
    target = tmp_path / "a.json"
    target.write_bytes(b"old")

    def interrupted():
        with whole_file(target) as file:
            file.write(b"half of the n")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        interrupted()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_of_a_replaced_file_stay(tmp_path):
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    target.chmod(0o604)
    with whole_file(target) as file:
        file.write(b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "real.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to("real.json")
    with whole_file(tmp_path / "link.json") as file:
        file.write(b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_bytes() == b"new"


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_read_back_and_are_the_same_bytes_each_time(tmp_path, suffix):
    first, second = tmp_path / f"a.json{suffix}", tmp_path / f"b.json{suffix}"
    for target in (first, second):
        with whole_file(target) as file:
            file.write(b"[1, 2]" * 100)
    source = Source(first)
    assert source.data() == b"[1, 2]" * 100
    assert source.head(3) == b"[1,"
    assert source.suffix == ".json"
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) < 600


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("data", [b"not compressed", gzip.compress(b"x" * 1000, mtime=0)[:20], b""])
def test_a_damaged_compressed_file_is_refused(tmp_path, suffix, data):
    path = tmp_path / f"a.json{suffix}"
    path.write_bytes(data)
    with pytest.raises(FormatError) as error:
        Source(path).data()
    assert error.value.rule == "file-compression"
    assert str(path) in str(error.value)


def test_what_cannot_be_read_is_said_plainly(tmp_path):
    with pytest.raises(InputError, match=r"missing.json: found no such file, expected a file \[file-missing\]"):
        Source(tmp_path / "missing.json").data()
    with pytest.raises(InputError, match="found a folder, expected a file"):
        Source(tmp_path).data()
    with pytest.raises(InputError, match="folder-missing"), whole_file(tmp_path / "no" / "a.json"):
        pass
    with pytest.raises(InputError, match="file-folder"), whole_file(tmp_path):
        pass


def test_standard_streams_are_a_dash(monkeypatch):
    class Standard:
        buffer = io.BytesIO(b"[]")

    monkeypatch.setattr("sys.stdin", Standard)
    source = Source("-")
    assert (source.name, source.data()) == ("<stdin>", b"[]")
    monkeypatch.setattr("sys.stdout", Standard)
    Standard.buffer = io.BytesIO()
    with whole_file("-") as file:
        file.write(b"out")
    assert Standard.buffer.getvalue() == b"out"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with whole_folder(tmp_path / "out" / "set") as folder:
        (folder / "a.txt").write_text("a")
        assert not (tmp_path / "out" / "set").exists()
    assert (tmp_path / "out" / "set" / "a.txt").read_text() == "a"
    with pytest.raises(InputError, match="folder-exists"), whole_folder(tmp_path / "out" / "set"):
        pass

    def interrupted():
        with whole_folder(tmp_path / "out" / "other") as folder:
            (folder / "a.txt").write_text("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert sorted(os.listdir(tmp_path / "out")) == ["set"]
