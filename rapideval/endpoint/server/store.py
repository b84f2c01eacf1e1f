"""The tasks of a local endpoint, in SQLite: they survive the server."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rapideval.endpoint.database import Database

__all__ = ["Finished", "Store", "TaskRow"]

_KIND = 0x52455631  # "REV1": rapideval's tasks, layout 1

_SCHEMA = """
CREATE TABLE task (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    version TEXT,
    state TEXT NOT NULL,
    submission TEXT,
    digest BLOB,
    args BLOB,
    answer BLOB,
    packed INTEGER NOT NULL DEFAULT 0,
    submitted REAL NOT NULL,
    finished REAL,
    seconds REAL
);
CREATE UNIQUE INDEX task_submission ON task (endpoint, submission) WHERE submission IS NOT NULL;
CREATE INDEX task_unfinished ON task (number) WHERE state = 'pending';
CREATE INDEX task_finished ON task (finished) WHERE finished IS NOT NULL;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)
"""

State = Literal["pending", "success", "failure"]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task that waits: its number, id, endpoint, and how large its arguments are."""

    number: int
    id: str
    endpoint: str
    size: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A task that has an answer, a JSON string, compressed where ``packed``."""

    endpoint: str
    version: str
    state: State
    answer: bytes
    packed: bool


class Store:
    """Tasks and settings in a file."""

    def __init__(self, path: Path) -> None:
        # a kill loses nothing; a loss of power may lose the last moments, which a client then submits again
        self._database = Database(path, _SCHEMA, _KIND, durable=False)

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._database.close()

    async def add(
        self, task_id: str, endpoint: str, args: bytes, submission: str | None, digest: bytes | None
    ) -> tuple[int, str, bytes | None]:
        """Keep a new task; where its submission is known already, the number, id and digest of that one."""
        now = time.time()

        def work(connection: sqlite3.Connection) -> tuple[int, str, bytes | None]:
            # the update changes nothing: it makes the row that stands in the way come back
            row = connection.execute(
                "INSERT INTO task (id, endpoint, state, submission, digest, args, submitted)"
                " VALUES (?, ?, 'pending', ?, ?, ?, ?)"
                " ON CONFLICT (endpoint, submission) WHERE submission IS NOT NULL"
                " DO UPDATE SET submission = excluded.submission RETURNING number, id, digest",
                (task_id, endpoint, submission, digest, args, now),
            ).fetchone()
            return int(row[0]), str(row[1]), row[2]

        return await self._database.do(work)

    async def finish(self, number: int, finished: Finished, seconds: float) -> None:
        """Keep a task's answer; its arguments are let go."""
        values = (finished.state, finished.version, finished.answer, finished.packed, time.time(), seconds, number)
        await self._database.do(
            lambda connection: connection.execute(
                "UPDATE task SET state = ?, version = ?, answer = ?, packed = ?, finished = ?, seconds = ?, args = NULL"
                " WHERE number = ? AND state = 'pending'",
                values,
            )
        )

    async def args(self, number: int) -> bytes:
        """The arguments of a task that waits."""
        (args,) = await self._database.do(
            lambda connection: connection.execute("SELECT args FROM task WHERE number = ?", (number,)).fetchone()
        )
        return bytes(args)

    async def find(self, task_id: str) -> Finished | str | None:
        """A finished task; of one that waits, its endpoint; None where there is none."""

        def work(connection: sqlite3.Connection) -> Finished | str | None:
            row = connection.execute(
                "SELECT endpoint, version, state, answer, packed FROM task WHERE id = ?", (task_id,)
            ).fetchone()
            if row is None:
                return None
            return str(row[0]) if row[2] == "pending" else Finished(row[0], row[1], row[2], row[3], bool(row[4]))

        return await self._database.do(work)

    async def unfinished(self) -> list[TaskRow]:
        """Tasks that wait, oldest first."""
        rows = await self._database.do(
            lambda connection: connection.execute(
                "SELECT number, id, endpoint, length(args) FROM task WHERE state = 'pending' ORDER BY number"
            ).fetchall()
        )
        return [TaskRow(*row) for row in rows]

    async def forget(self, before: float) -> int:
        """Delete tasks that finished before a time; their number."""
        return await self._database.do(
            lambda connection: connection.execute("DELETE FROM task WHERE finished < ?", (before,)).rowcount
        )

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many tasks there are by endpoint and state."""
        rows = await self._database.do(
            lambda connection: connection.execute(
                "SELECT endpoint, state, count(*) FROM task GROUP BY endpoint, state"
            ).fetchall()
        )
        return {(endpoint, state): count for endpoint, state, count in rows}

    async def setting(self, name: str) -> str | None:
        """A setting, or None."""
        row = await self._database.do(
            lambda connection: connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        )
        return None if row is None else str(row[0])

    async def set(self, name: str, value: str) -> None:
        """Keep a setting."""
        await self._database.do(
            lambda connection: connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))
        )
