"""The journal of a run: every image, task and answer in a SQLite file, so that a killed run goes on where it was.

An image is answered once. A task is written before it is sent, its id before it is polled, its answer before it counts:
whatever the moment of a kill, what was received is there, and what was sent is not sent again without need.

=========== ============================================================================================
sending     written, and perhaps sent: its submission is repeated under the same key
waiting     the endpoint gave an id: it is polled
answered    the answer is here
failed      the endpoint said that it failed, or would not take it
late        no answer within the time limit: it is polled again by the next run
lost        the endpoint does not know it any more: its images were given to another task
=========== ============================================================================================
"""

from __future__ import annotations

import sqlite3
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rapideval.endpoint.database import Database
from rapideval.endpoint.images import ImageInput
from rapideval.errors import InputError, Problem, UsageError

__all__ = ["Answered", "Counts", "Failed", "Journal", "JournalImage", "JournalTask"]

_KIND = 0x52454A31  # "REJ1": rapideval's journal, layout 1

_SCHEMA = """
CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE image (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    url TEXT,
    path TEXT,
    stamp TEXT NOT NULL,
    seen INTEGER NOT NULL,
    task INTEGER,
    alone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX image_open ON image (number) WHERE task IS NULL;
CREATE INDEX image_task ON image (task);
CREATE TABLE task (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    first INTEGER NOT NULL,
    state TEXT NOT NULL,
    id TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    uncertain INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    answer BLOB,
    packed INTEGER NOT NULL DEFAULT 0,
    written REAL NOT NULL
);
CREATE INDEX task_open ON task (number) WHERE state IN ('sending', 'waiting', 'late');
CREATE INDEX task_answered ON task (first) WHERE state = 'answered'
"""

_PACK_ABOVE = 1 << 14
_PACK_LEVEL = 1
_MANY = 2000


@dataclass(frozen=True, slots=True)
class JournalImage:
    """An image of a task: its key, and where its pixels are."""

    key: str
    url: str | None
    path: str | None


@dataclass(frozen=True, slots=True)
class JournalTask:
    """A task that has no answer yet.

    Attributes
    ----------
    number
        Its number in the journal.
    id
        The endpoint's id; None where it is not known.
    images
        Its images in the order of the request.
    lost
        How often its images were given to a new task because the endpoint lost the old one.
    """

    number: int
    id: str | None
    images: tuple[JournalImage, ...]
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many images there are, by what became of them; and of the tasks, how many were sent twice perhaps."""

    images: int
    answered: int
    failed: int
    tasks: int
    uncertain: int

    @property
    def open(self) -> int:
        """Images without an answer or a failure."""
        return self.images - self.answered - self.failed


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it was received, and the keys of its images."""

    number: int
    task_id: str | None
    images: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """An image without an answer, and why."""

    image: str
    state: str
    task_id: str | None
    reason: str


class Journal:
    """The journal of a run, open.

    Parameters
    ----------
    path
        Its file, made where it is missing; only its owner can read it, since URLs may carry signatures.

    Raises
    ------
    StorageError
        Where it is in use by another run, damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, _KIND, durable=True)

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._database.close()

    # --- the run ---------------------------------------------------------------------------------

    def begin(self, **target: str) -> str:
        """Note where the images are sent, and give the run's own key; a resumed run must have the same target.

        Raises
        ------
        UsageError
            Where the journal is of a run with another target.
        """

        def work(connection: sqlite3.Connection) -> dict[str, str]:
            given = {**target, "key": uuid.uuid4().hex}
            connection.executemany("INSERT OR IGNORE INTO run VALUES (?, ?)", list(given.items()))
            return dict(connection.execute("SELECT name, value FROM run"))

        kept = self._database.call(work)
        for name, value in target.items():
            if kept[name] != value:
                raise UsageError(
                    f"{self._database.path} is the journal of a run with {name} {kept[name]!r}, not {value!r}:"
                    " a run with another target needs another folder"
                )
        return kept["key"]

    def add(self, images: Iterable[ImageInput]) -> None:
        """Write down the images of this run; those of an earlier one keep what is known of them.

        Raises
        ------
        InputError
            Rule ``image-duplicate`` where two images have one key, ``image-changed`` where a file is not the one that
            was sent.
        """
        (seen,) = self._database.call(lambda c: c.execute("SELECT ifnull(max(seen), 0) + 1 FROM image").fetchone())
        rows: list[tuple[Any, ...]] = []
        for image in images:
            rows.append((image.key, image.url, None if image.path is None else str(image.path), image.stamp(), seen))
            if len(rows) == _MANY:
                self._database.call(partial(_add_images, rows))
                rows = []
        self._database.call(partial(_add_images, rows))

        def forget_others(connection: sqlite3.Connection) -> None:
            # images that this run does not ask about, and that were never sent
            connection.execute("DELETE FROM image WHERE seen < ? AND task IS NULL", (seen,))

        self._database.call(forget_others)

    def retry_failed(self) -> int:
        """Open the images of failed tasks again; their number."""
        return self._database.call(
            lambda c: (
                c.execute(
                    "UPDATE image SET task = NULL WHERE task IN (SELECT number FROM task WHERE state = 'failed')"
                ).rowcount
            )
        )

    # --- tasks -----------------------------------------------------------------------------------

    async def unfinished(self) -> list[JournalTask]:
        """Tasks that an earlier run sent, or was about to send."""

        def work(connection: sqlite3.Connection) -> list[JournalTask]:
            rows = connection.execute(
                "SELECT number, id, lost FROM task WHERE state IN ('sending', 'waiting', 'late') ORDER BY number"
            ).fetchall()
            return [
                JournalTask(number, task_id, _images_of(connection, number), lost) for number, task_id, lost in rows
            ]

        return await self._database.do(work)

    async def next(self, most: int) -> JournalTask | None:
        """Make a task of the next images that have none; None where all have one."""

        def work(connection: sqlite3.Connection) -> JournalTask | None:
            rows = connection.execute(
                "SELECT number, key, url, path, alone FROM image WHERE task IS NULL ORDER BY number LIMIT ?", (most,)
            ).fetchall()
            if not rows:
                return None
            if any(row[4] for row in rows):  # an image that is to go alone, or those before it
                rows = rows[: max(1, next(place for place, row in enumerate(rows) if row[4]))]
            return _made(connection, rows, 0)

        return await self._database.do(work)

    async def sent(self, task: JournalTask, task_id: str, tries: int, uncertain: bool) -> None:
        """Note the id that a task was given, how often it was sent, and whether one of those may have arrived too."""
        await self._database.do(
            lambda connection: connection.execute(
                "UPDATE task SET state = 'waiting', id = ?, tries = tries + ?, uncertain = uncertain | ?, written = ?"
                " WHERE number = ?",
                (task_id, tries, uncertain, time.time(), task.number),
            )
        )

    async def answered(self, task: JournalTask, body: bytes) -> None:
        """Keep an answer as it was received."""
        packed = len(body) > _PACK_ABOVE
        kept = zlib.compress(body, _PACK_LEVEL) if packed else body
        await self._end(task, "answered", None, kept, packed)

    async def failed(self, task: JournalTask, reason: str) -> None:
        """Note that a task failed."""
        await self._end(task, "failed", reason)

    async def late(self, task: JournalTask, reason: str) -> None:
        """Note that a task was not answered in time."""
        await self._end(task, "late", reason)

    async def _end(
        self, task: JournalTask, state: str, reason: str | None, body: bytes | None = None, packed: bool = False
    ) -> None:
        await self._database.do(
            lambda connection: connection.execute(
                "UPDATE task SET state = ?, reason = ?, answer = ?, packed = ?, written = ? WHERE number = ?",
                (state, reason, body, packed, time.time(), task.number),
            )
        )

    async def split(self, task: JournalTask, reason: str) -> None:
        """Note that a task failed, and open its images again, each to go alone: one may have spoilt it for all."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE task SET state = 'failed', reason = ? WHERE number = ?", (reason, task.number))
            connection.execute("UPDATE image SET task = NULL, alone = 1 WHERE task = ?", (task.number,))

        await self._database.do(work)

    async def lost(self, task: JournalTask) -> JournalTask:
        """Note that the endpoint does not know a task any more, and give its images to a new one."""

        def work(connection: sqlite3.Connection) -> JournalTask:
            connection.execute("UPDATE task SET state = 'lost' WHERE number = ?", (task.number,))
            rows = connection.execute(
                "SELECT number, key, url, path FROM image WHERE task = ? ORDER BY number", (task.number,)
            ).fetchall()
            return _made(connection, rows, task.lost + 1)

        return await self._database.do(work)

    # --- what came of it -------------------------------------------------------------------------

    def counts(self) -> Counts:
        """How many images and tasks there are, by what became of them."""

        def work(connection: sqlite3.Connection) -> Counts:
            (images,) = connection.execute("SELECT count(*) FROM image").fetchone()
            states = dict(
                connection.execute(
                    "SELECT task.state, count(*) FROM image JOIN task ON task.number = image.task GROUP BY task.state"
                ).fetchall()
            )
            tasks, uncertain = connection.execute("SELECT count(*), ifnull(sum(uncertain), 0) FROM task").fetchone()
            failed = states.get("failed", 0) + states.get("late", 0)
            return Counts(images, states.get("answered", 0), failed, tasks, uncertain)

        return self._database.call(work)

    def answers(self) -> Iterator[Answered]:
        """All answers, in the order of their first images."""
        last = -1
        while True:
            rows = self._database.call(partial(_answers_after, last))
            if not rows:
                return
            for first, answered in rows:
                last = first
                yield answered

    def failures(self) -> Iterator[Failed]:
        """Images without an answer, in order, and why."""
        rows = self._database.call(
            lambda connection: connection.execute(
                "SELECT image.key, ifnull(task.state, 'unsent'), task.id, ifnull(task.reason, 'not sent yet')"
                " FROM image LEFT JOIN task ON task.number = image.task"
                " WHERE task.state IS NULL OR task.state != 'answered' ORDER BY image.number"
            ).fetchall()
        )
        for row in rows:
            yield Failed(*row)


def _add_images(rows: list[tuple[Any, ...]], connection: sqlite3.Connection) -> None:
    for key, url, path, stamp, seen in rows:
        old = connection.execute("SELECT stamp, seen, task FROM image WHERE key = ?", (key,)).fetchone()
        if old is None:
            connection.execute(
                "INSERT INTO image (key, url, path, stamp, seen) VALUES (?, ?, ?, ?, ?)", (key, url, path, stamp, seen)
            )
            continue
        if old[1] == seen:
            raise InputError(
                Problem("image-duplicate", path or url or key, f"a second image {key!r}", "one image for each key")
            )
        if old[0] != stamp and old[2] is not None:
            hint = "to ask about the new one, give the run another folder"
            raise InputError(
                Problem("image-changed", path or key, "another image than the one that was sent", "the same", hint)
            )
        connection.execute(
            "UPDATE image SET url = ?, path = ?, stamp = ?, seen = ? WHERE key = ?", (url, path, stamp, seen, key)
        )


def _images_of(connection: sqlite3.Connection, task: int) -> tuple[JournalImage, ...]:
    rows = connection.execute("SELECT key, url, path FROM image WHERE task = ? ORDER BY number", (task,))
    return tuple(JournalImage(*row) for row in rows)


def _made(connection: sqlite3.Connection, rows: list[tuple[Any, ...]], lost: int) -> JournalTask:
    """A new task of these images."""
    number = connection.execute(
        "INSERT INTO task (first, state, lost, written) VALUES (?, 'sending', ?, ?)", (rows[0][0], lost, time.time())
    ).lastrowid
    assert number is not None
    connection.executemany("UPDATE image SET task = ? WHERE number = ?", [(number, row[0]) for row in rows])
    return JournalTask(number, None, tuple(JournalImage(row[1], row[2], row[3]) for row in rows), lost)


def _answers_after(last: int, connection: sqlite3.Connection, many: int = 64) -> list[tuple[int, Answered]]:
    rows = connection.execute(
        "SELECT first, number, id, answer, packed FROM task WHERE state = 'answered' AND first > ?"
        " ORDER BY first LIMIT ?",
        (last, many),
    ).fetchall()
    return [
        (
            first,
            Answered(
                number,
                task_id,
                tuple(image.key for image in _images_of(connection, number)),
                zlib.decompress(body) if packed else body,
            ),
        )
        for first, number, task_id, body, packed in rows
    ]
