"""What came of a run: the answers as they were received, the images that failed, the dataset."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from rapideval.endpoint.journal import Answered, Counts, Failed, Journal
from rapideval.errors import InputError, Problem

if TYPE_CHECKING:
    from rapideval.model import Dataset

__all__ = ["Results", "read_results"]

ANSWERS = "answers.jsonl"

# Answers are parsed together up to this many bytes of them.
_PARSED_TOGETHER = 16 << 20


class Results:
    """Answers of a run, read from its journal; used in a ``with`` block, or closed.

    Attributes
    ----------
    unreadable
        Problems of answers that were received and are not what a payload should be; known once `dataset` was called.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.unreadable: list[Problem] = []

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def counts(self) -> Counts:
        """How many images there are, by what became of them."""
        return self._journal.counts()

    @property
    def failures(self) -> list[Failed]:
        """Images without an answer, and why."""
        return list(self._journal.failures())

    def answers(self) -> Iterator[Answered]:
        """Answers as they were received, in the order of the images."""
        return self._journal.answers()

    def save(self, path: str | Path) -> int:
        """Write the answers as JSON Lines; their number.

        Each line is the envelope as it was received, values byte for byte, with the keys of its ``images`` and its
        ``task_id`` added, so that the file says by itself what it answers. It is written whole or not at all.
        """
        from rapideval.formats import whole_file

        count = 0
        with whole_file(path) as file:
            for answered in self.answers():
                file.write(_line(answered))
                count += 1
        return count

    def dataset(self, **options: Any) -> Dataset:
        """Predictions of all answers; those that cannot be read are listed in `unreadable`.

        Parameters
        ----------
        **options
            As for :func:`rapideval.payloads.parse`: ``labels``, ``sizes``, ``payload``, ...
        """
        from rapideval.model import Annotations, Dataset, Images, Labels

        self.unreadable = []
        parts = [part for chunk in self._chunks() for part in self._parsed(chunk, options)]
        if not parts:
            return Dataset(Images(), Labels([]), Annotations([], [], [], []))
        return parts[0] if len(parts) == 1 else Dataset.concat(parts)

    def _chunks(self) -> Iterator[list[Answered]]:
        chunk: list[Answered] = []
        size = 0
        for answered in self.answers():
            chunk.append(answered)
            size += len(answered.body)
            if size > _PARSED_TOGETHER:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _parsed(self, chunk: Sequence[Answered], options: dict[str, Any]) -> list[Dataset]:
        """A chunk parsed together; one by one where something in it cannot be read."""
        from rapideval.payloads import parse

        try:
            answer = parse(b"\n".join(_line(answered).rstrip() for answered in chunk), name="answers.jsonl", **options)
            return [answer.dataset] if answer.dataset is not None else []
        except InputError as error:
            if len(chunk) == 1:
                images = ", ".join(chunk[0].images[:3]) + (", …" if len(chunk[0].images) > 3 else "")
                self.unreadable += [
                    Problem(p.rule, f"{images}: {p.where}", p.found, p.expected, p.hint) for p in error.problems
                ]
                return []
        return [part for answered in chunk for part in self._parsed([answered], options)]


def read_results(folder: str | Path) -> Results:
    """Results of an earlier run, from its folder.

    Raises
    ------
    InputError
        Where the folder has no journal.
    StorageError
        Where a run is using it.
    """
    path = Path(folder) / "journal.sqlite"
    if not path.is_file():
        raise InputError(Problem("no-journal", str(folder), f"no {path.name}", "the folder of a run"))
    return Results(Journal(path))


def _line(answered: Answered) -> bytes:
    """The line of an answer: its envelope with the images that it speaks of."""
    line: dict[str, Any] = {"images": answered.images}
    with contextlib.suppress(msgspec.DecodeError):
        line |= msgspec.json.decode(answered.body, type=dict[str, msgspec.Raw])
    line["images"] = answered.images
    if answered.task_id is not None:
        line.setdefault("task_id", answered.task_id)
    text = msgspec.json.encode(line)
    return (msgspec.json.format(text, indent=-1) if b"\n" in text else text) + b"\n"
