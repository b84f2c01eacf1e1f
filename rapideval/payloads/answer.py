"""What parsing an answer gives: a status, the dataset, the tasks, and what was noted on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from rapideval.errors import EndpointError, Problem
from rapideval.model import Dataset
from rapideval.payloads.envelope import Status

__all__ = ["Answer", "Status", "Task"]

_WORST = ("finished", "pending", "failed", "refused")


@dataclass(frozen=True, slots=True)
class Task:
    """One task of an answer.

    Attributes
    ----------
    where
        Its place: file and JSON path, or line.
    status
        ``"finished"``, ``"pending"``, ``"failed"``, or ``"refused"`` where a server answered with an error.
    images
        Keys of the images it answered; empty unless it has finished.
    task_id, row_id
        The server's id, and the row of a batch job's input.
    detail, traceback, status_code
        What a failed or refused task says of it.
    """

    where: str
    status: Status
    images: tuple[str, ...] = ()
    task_id: str | None = None
    row_id: str | None = None
    detail: str | None = None
    traceback: str | None = None
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, parsed.

    Attributes
    ----------
    tasks
        One, or as many as there are envelopes, lines or files.
    dataset
        Predictions of all finished tasks; None where none has finished.
    notes
        Warnings and infos, the dataset's too: coordinates out of the image, what lenient mode mended.
    payload
        The service whose payload was read, such as ``"scale-rapid"``; None where nothing was.
    """

    tasks: tuple[Task, ...]
    dataset: Dataset | None = field(repr=False, default=None)
    notes: tuple[Problem, ...] = field(repr=False, default=())
    payload: str | None = None

    @property
    def status(self) -> Status:
        """The worst status of all tasks: refused, failed, pending, finished."""
        worst: Status = max((task.status for task in self.tasks), key=_WORST.index, default="finished")
        return worst

    @property
    def task_id(self) -> str | None:
        """Id of the first task that has one."""
        return next((task.task_id for task in self.tasks if task.task_id), None)

    @property
    def detail(self) -> str | None:
        """What the first task of the worst status says of it."""
        return next((task.detail for task in self.tasks if task.status == self.status), None)

    @property
    def traceback(self) -> str | None:
        """Traceback of the first task that has one."""
        return next((task.traceback for task in self.tasks if task.traceback), None)

    def require(self) -> Dataset:
        """The dataset, once every task has finished.

        Raises
        ------
        EndpointError
            Where a task is pending, has failed or was refused.
        """
        left = [task for task in self.tasks if task.status != "finished"]
        if left or self.dataset is None:
            what = f"{len(left):,} of {len(self.tasks):,} tasks" if len(self.tasks) > 1 else "the task"
            says = f": {self.detail}" if self.detail else ""
            verb = {"pending": "not finished", "failed": "failed", "refused": "refused by the server"}
            raise EndpointError(f"{self.tasks[0].where}: {what} {verb.get(self.status, 'without a result')}{says}")
        return self.dataset
