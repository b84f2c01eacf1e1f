"""The key comes from where it is kept, and nothing shows it."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval.endpoint.secrets import ApiKey, KeyFilter, read_key, read_key_file
from rapideval.errors import UsageError

SECRET = "live_7f3a9c0b1d2e4f5a"


def test_no_way_of_showing_a_key_shows_it():
    key = ApiKey(SECRET)
    shown = [repr(key), str(key), f"{key}", f"{key!r:>20}", format(key), repr([key]), repr({"key": key})]
    shown += [str(vars(type(key))), str(dir(key))]
    assert not any(SECRET in text for text in shown)


def test_a_traceback_with_local_variables_does_not_show_it():
    def fails(key):
        raise ValueError(f"bad {key}")

    try:
        fails(ApiKey(SECRET))
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "***" in text
    assert SECRET not in text.replace(f'ApiKey("{SECRET}")', "")


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_key_is_not_pickled(write):
    with pytest.raises(TypeError, match="not pickled"):
        write(ApiKey(SECRET))


def test_a_log_handler_shows_neither_the_key_nor_its_header():
    key = ApiKey("an-unusual-key")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(KeyFilter(key))
    log = logging.Logger("test")
    log.addHandler(handler)
    log.info("sent %s with %s", key.reveal(), {"authorization": key.authorization()})
    try:
        raise RuntimeError(key.reveal())
    except RuntimeError:
        log.exception("failed for %s", "an-unusual-key")
    assert "an-unusual-key" not in stream.getvalue()
    assert key.authorization()[6:] not in stream.getvalue()
    assert "RuntimeError: ***" in stream.getvalue()


@given(st.text(max_size=30))
def test_only_the_same_key_is_the_same(text):
    assert ApiKey(SECRET).same_as(text) == (text == SECRET)


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("SCALE_API_KEY", f" {SECRET}\n")
    assert read_key() == ApiKey(SECRET)
    monkeypatch.delenv("SCALE_API_KEY")
    with pytest.raises(UsageError, match="SCALE_API_KEY"):
        read_key()


def test_the_key_comes_from_a_file_that_only_its_owner_reads(tmp_path, caplog):
    path = tmp_path / "key"
    ApiKey(SECRET).write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == ApiKey(SECRET)
    assert not caplog.records
    path.chmod(0o644)
    assert read_key_file(path) == ApiKey(SECRET)
    assert "chmod 600" in caplog.text
    with pytest.raises(FileExistsError):
        ApiKey(SECRET).write(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"two words", "blanks"),
        (b"one\ntwo", "blanks"),
        (b"user:password", "colon"),
        (b"\xff\xfe", "blanks"),
        (b"x" * 5000, "longer"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_without_showing_it(tmp_path, content, says):
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match=says) as caught:
        read_key(path)
    assert "word" not in str(caught.value)
    with pytest.raises(UsageError, match="cannot be read"):
        read_key(tmp_path / "nowhere")
