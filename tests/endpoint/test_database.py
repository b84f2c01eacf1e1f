"""The database file: one owner, grouped commits, nothing half-written, clear errors."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys

import pytest

from rapideval.endpoint.database import Database
from rapideval.errors import StorageError

SCHEMA = "CREATE TABLE row (number INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL)"
KIND = 12345


def add(text):
    return lambda connection: connection.execute("INSERT INTO row (text) VALUES (?)", (text,)).lastrowid


def count(connection):
    return connection.execute("SELECT count(*) FROM row").fetchone()[0]


@pytest.fixture
def database(tmp_path):
    made = Database(tmp_path / "rows.sqlite", SCHEMA, KIND, durable=False)
    yield made
    made.close()


def test_many_writers_at_once_are_all_kept(database):
    async def write():
        numbers = await asyncio.gather(*(database.do(add(f"row {i}")) for i in range(500)))
        assert len(set(numbers)) == 500

    asyncio.run(write())
    assert database.call(count) == 500


def test_the_fault_of_one_is_not_the_fault_of_all(database):
    database.call(add("taken"))

    async def write():
        work = [add("one"), add("taken"), add("two"), lambda _: 1 / 0]
        return await asyncio.gather(*map(database.do, work), return_exceptions=True)

    one, taken, two, zero = asyncio.run(write())
    assert isinstance(one, int)
    assert isinstance(taken, sqlite3.IntegrityError)
    assert isinstance(two, int)
    assert isinstance(zero, ZeroDivisionError)
    assert database.call(count) == 3


def test_a_file_has_one_owner(database):
    with pytest.raises(StorageError, match="in use by another process"):
        Database(database.path, SCHEMA, KIND, durable=False)


def test_what_was_told_survives_a_kill(tmp_path):
    path = tmp_path / "rows.sqlite"
    code = (
        "import os, sys; from pathlib import Path; from rapideval.endpoint.database import Database\n"
        f"d = Database(Path({str(path)!r}), {SCHEMA!r}, {KIND}, durable=True)\n"
        "for i in range(100):\n"
        "    d.call(lambda c: c.execute('INSERT INTO row (text) VALUES (?)', (str(i),)))\n"
        "    print(i, flush=True)\n"
        "    if i == 41: os.kill(os.getpid(), 9)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False).stdout.split()
    again = Database(path, SCHEMA, KIND, durable=True)
    assert again.call(count) == len(told) == 42
    again.close()


def test_a_full_disk_is_said_and_loses_nothing(database):
    database.call(add("kept"))
    database.call(lambda c: c.execute("PRAGMA max_page_count = 10").fetchone())
    with pytest.raises(StorageError, match="the disk is full; what was committed before is intact"):
        database.call(add("x" * 100_000))
    assert database.call(count) == 1
    database.call(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchone())
    database.call(add("x" * 100_000))
    assert database.call(count) == 2


@pytest.mark.parametrize(
    "content", [b"this is not a database, but long enough to be looked at" * 30, b"SQLite format 3\0" * 90]
)
def test_another_file_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StorageError):
        Database(path, SCHEMA, KIND, durable=False)
    assert path.read_bytes() == content


def test_a_database_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.sqlite"
    Database(path, SCHEMA, KIND + 1, durable=False).close()
    with pytest.raises(StorageError, match="another kind or version"):
        Database(path, SCHEMA, KIND, durable=False)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        Database(tmp_path / "nowhere" / "rows.sqlite", SCHEMA, KIND, durable=False)


def test_a_closed_database_says_so(tmp_path):
    database = Database(tmp_path / "rows.sqlite", SCHEMA, KIND, durable=False)
    database.close()
    database.close()
    with pytest.raises(StorageError, match="closed"):
        database.call(count)
