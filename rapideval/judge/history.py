"""A history of model versions: saved evaluations by name, in one local SQLite file.

The file holds what identifies an evaluation and its summary; the evaluation itself stays in the Parquet file that
`Evaluation.save` wrote, which is found again by its path and held to its fingerprints.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from rapideval.errors import InputError, Problem, StorageError
from rapideval.judge.policy import nearest
from rapideval.metrics import Evaluation

__all__ = ["DEFAULT_FILE", "History", "Run", "RunList", "history_file"]

DEFAULT_FILE = Path(".rapideval") / "runs.sqlite"
_KIND = 0x52455248  # application_id: marks files of this kind
_VERSION = 1
_TABLE = """
create table run (
    name text primary key, added text not null, task text not null, path text not null, images integer not null,
    summary text not null, fingerprints text not null, note text not null
)
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A version's saved evaluation."""

    name: str
    added: str
    """When it was added, in UTC."""
    task: str
    path: str
    """Of the saved evaluation; relative paths are from the folder of the history."""
    images: int
    summary: dict[str, float | None]
    fingerprints: dict[str, str]
    note: str


class RunList(msgspec.Struct):
    """The history of model versions (``rapideval runs --json``)."""

    file: str
    runs: list[Run]
    """In the order in which they were added."""


def history_file(given: str | os.PathLike[str] | None = None) -> Path:
    """Where the history is: what was given, else ``RAPIDEVAL_RUNS``, else ``.rapideval/runs.sqlite`` here."""
    return Path(given or os.environ.get("RAPIDEVAL_RUNS") or DEFAULT_FILE)


class History:
    """An open history; used in a ``with`` block, or closed.

    Parameters
    ----------
    path
        The SQLite file. It is made by the first `add`; until then the history is empty.

    Raises
    ------
    StorageError
        Where the file is no history, of a later version, damaged, or in use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection | None = None
        if self.path.exists():
            self._connection = self._open()

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- in --------------------------------------------------------------------------------------

    def add(self, name: str, path: str | os.PathLike[str], note: str = "", replace: bool = False) -> Run:
        """Add a saved evaluation under the name of its version.

        Raises
        ------
        InputError
            Where the name is empty, or another run has it and `replace` is not asked for.
        """
        if not name or name != name.strip() or "/" in name or "\\" in name:
            raise InputError(
                Problem("run-name", "name", repr(name), "a name without slashes, and without blanks around it")
            )
        evaluation = Evaluation.load(path)
        run = Run(
            name=name,
            added=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            task=evaluation.task,
            path=self._told(Path(path)),
            images=len(evaluation.images),
            summary={key: None if math.isnan(value) else value for key, value in evaluation.summary.items()},
            fingerprints=dict(evaluation.fingerprints),
            note=note,
        )
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
        verb = "insert or replace" if replace else "insert"
        columns = ", ".join(f":{name}" for name in Run.__struct_fields__)
        values = msgspec.to_builtins(run) | {
            "summary": json.dumps(run.summary),
            "fingerprints": json.dumps(run.fingerprints),
        }
        with self._explained():
            try:
                with self._connection:
                    self._connection.execute(f"{verb} into run values ({columns})", values)
            except sqlite3.IntegrityError:
                problem = Problem(
                    *("run-duplicate", str(self.path), f"a run {name!r} already", "a new name"),
                    "replace it if it is meant",
                )
                raise InputError(problem) from None
        return run

    def remove(self, name: str) -> Run:
        """Take a run out of the history; its evaluation stays where it is."""
        run = self.get(name)
        assert self._connection is not None
        with self._explained(), self._connection:
            self._connection.execute("delete from run where name = ?", (name,))
        return run

    # --- out -------------------------------------------------------------------------------------

    def runs(self) -> list[Run]:
        """All runs, in the order in which they were added."""
        if self._connection is None:
            return []
        with self._explained():
            rows = self._connection.execute("select * from run order by rowid").fetchall()
            return [_run(row) for row in rows]

    def get(self, name: str) -> Run:
        """One run; InputError with the nearest names where there is none."""
        runs = {run.name: run for run in self.runs()}
        if name not in runs:
            hint = nearest(name, list(runs)) or "rapideval runs lists them"
            raise InputError(Problem("run-unknown", str(self.path), f"no run {name!r}", "the name of a run", hint))
        return runs[name]

    def load(self, name: str) -> Evaluation:
        """The evaluation of a run.

        Raises
        ------
        InputError
            Where its file is gone, or holds another evaluation than the one that was added.
        """
        run = self.get(name)
        path = self.path.parent / run.path
        if not path.is_file():
            problem = Problem(
                "run-moved", str(self.path), f"run {name!r}, whose file {path} is not there", "its evaluation",
                "add it again from where it is now: rapideval runs add",
            )  # fmt: skip
            raise InputError(problem)
        evaluation = Evaluation.load(path)
        if dict(evaluation.fingerprints) != run.fingerprints:
            different = sorted(
                key for key, value in run.fingerprints.items() if evaluation.fingerprints.get(key) != value
            )
            problem = Problem(
                "run-changed", str(path), f"another evaluation than run {name!r} ({', '.join(different)})",
                "the evaluation that was added", "add it again, or restore the file",
            )  # fmt: skip
            raise InputError(problem)
        return evaluation

    # --- the file --------------------------------------------------------------------------------

    def _told(self, path: Path) -> str:
        """A path from the history's folder where it lies below it, so that both can be moved together."""
        absolute, home = path.resolve(), self.path.resolve().parent
        return absolute.relative_to(home).as_posix() if absolute.is_relative_to(home) else str(absolute)

    def _open(self) -> sqlite3.Connection:
        with self._explained():
            connection = sqlite3.connect(self.path, timeout=5)
            connection.row_factory = sqlite3.Row
            kind, version, tables = (
                connection.execute(statement).fetchone()[0]
                for statement in ("pragma application_id", "pragma user_version", "select count(*) from sqlite_master")
            )
            if not tables:
                with connection:
                    connection.execute(_TABLE)
                    connection.execute(f"pragma application_id = {_KIND}")
                    connection.execute(f"pragma user_version = {_VERSION}")
                return connection
        if kind != _KIND or version != _VERSION:
            connection.close()
            found = f"a history of version {version}" if kind == _KIND else "a SQLite file of another kind"
            raise StorageError(f"{self.path}: {found}, expected a history of version {_VERSION}")
        return connection

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StorageError(f"{self.path}: {error}") from None


def _run(row: Mapping[str, Any] | sqlite3.Row) -> Run:
    values = {key: row[key] for key in Run.__struct_fields__}
    values["summary"] = json.loads(values["summary"])
    values["fingerprints"] = json.loads(values["fingerprints"])
    return msgspec.convert(values, Run)
