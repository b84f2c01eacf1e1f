"""A SQLite file with a single owner, written by a thread of its own that commits what has gathered.

Each commit costs a trip to the disk, so work that arrives while one is under way shares the next. A call returns when
its transaction is committed: what has been told to the caller survives a kill of the process at any moment, and with
``durable`` a loss of power too.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from rapideval.errors import StorageError

__all__ = ["Database"]

T = TypeVar("T")

_LARGEST_GROUP = 1000


class _Call:
    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(
        self,
        work: Callable[[sqlite3.Connection], Any],
        future: asyncio.Future[Any] | Future[Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.work, self.future, self.loop = work, future, loop
        self.result: Any = None
        self.error: BaseException | None = None

    def deliver(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Database:
    """An open SQLite file; no other process can open it meanwhile.

    Parameters
    ----------
    path
        The file, made where it is missing, readable by its owner alone.
    schema
        Statements that make the tables of a new file.
    kind
        A number (``application_id``) that marks files of this kind and layout; others are refused.
    durable
        Whether each commit waits until the disk has it.

    Raises
    ------
    StorageError
        Where the file is in use, of another kind, damaged, or cannot be written.
    """

    def __init__(self, path: Path, schema: str, kind: int, *, durable: bool) -> None:
        self.path = path
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._closed = False
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(schema, kind, durable, started), name=f"database {path.name}", daemon=True
        )
        self._thread.start()
        started.result()

    # --- for callers -----------------------------------------------------------------------------

    def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run some statements in a transaction, and wait until it is committed."""
        future: Future[T] = Future()
        self._enqueue(_Call(work, future, None))
        return future.result()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run some statements in a transaction, and await that it is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._enqueue(_Call(work, future, loop))
        return await future

    def close(self) -> None:
        """Finish what is queued, and close the file; harmless when repeated."""
        if not self._closed:
            self._closed = True
            self._calls.put(None)
        self._thread.join()

    def _enqueue(self, call: _Call) -> None:
        if self._closed:
            raise StorageError(f"{self.path}: closed already")
        self._calls.put(call)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self, schema: str, kind: int, durable: bool, started: Future[None]) -> None:
        try:
            connection = self._open(schema, kind, durable)
        except BaseException as error:
            started.set_exception(self._explained(error))
            return
        started.set_result(None)
        while (group := self._next_group()) is not None:
            self._commit(connection, group)
            _deliver(group)
        with contextlib.suppress(sqlite3.Error):
            connection.close()

    def _open(self, schema: str, kind: int, durable: bool) -> sqlite3.Connection:
        self.path.touch(mode=0o600)
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        try:
            # one owner: no shared memory file, and a second opener fails instead of writing between
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            (found,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                for statement in filter(str.strip, schema.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {kind}")
            elif found != kind:
                raise StorageError(
                    f"{self.path}: a database of another kind or version (found {found}, expected {kind})"
                )
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _next_group(self) -> list[_Call] | None:
        call = self._calls.get()
        if call is None:
            return None
        group = [call]
        with contextlib.suppress(Empty):
            while len(group) < _LARGEST_GROUP:
                call = self._calls.get_nowait()
                if call is None:  # the end: seen again after this group
                    self._calls.put(None)
                    break
                group.append(call)
        return group

    def _commit(self, connection: sqlite3.Connection, group: list[_Call]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for call in group:
                call.result = call.work(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if len(group) == 1:
                group[0].error = self._explained(error)
            else:  # the fault of one is not the fault of all
                for call in group:
                    self._commit(connection, [call])

    def _explained(self, error: BaseException) -> BaseException:
        if isinstance(error, OSError) and not isinstance(error, StorageError):
            return StorageError(f"{self.path}: {error.strerror}")
        if not isinstance(error, sqlite3.Error):
            return error
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        reason = {
            sqlite3.SQLITE_FULL: "the disk is full; what was committed before is intact",
            sqlite3.SQLITE_BUSY: "in use by another process",
            sqlite3.SQLITE_LOCKED: "in use by another process",
            sqlite3.SQLITE_READONLY: "may not be written",
            sqlite3.SQLITE_IOERR: "the disk reports an error",
            sqlite3.SQLITE_CORRUPT: "damaged",
            sqlite3.SQLITE_NOTADB: "not a database",
            sqlite3.SQLITE_CANTOPEN: "cannot be opened",
        }.get(code)
        return StorageError(f"{self.path}: {reason} ({error})") if reason else error


def _deliver(group: list[_Call]) -> None:
    """Tell all callers, with one wake-up for each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Call]] = {}
    for call in group:
        if call.loop is None:
            call.deliver()
        else:
            loops.setdefault(call.loop, []).append(call)
    for loop, calls in loops.items():
        with contextlib.suppress(RuntimeError):  # a loop that was closed meanwhile waits for nothing

            def deliver(calls: list[_Call] = calls) -> None:
                for call in calls:
                    call.deliver()

            loop.call_soon_threadsafe(deliver)
