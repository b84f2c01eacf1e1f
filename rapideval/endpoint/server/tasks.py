"""Tasks from submission to answer: kept before they are acknowledged, answered by a worker, polled, forgotten."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
import zlib
from collections import OrderedDict

from rapideval.endpoint.server.endpoints import Endpoint, Endpoints
from rapideval.endpoint.server.limits import Limits
from rapideval.endpoint.server.metrics import Metrics
from rapideval.endpoint.server.store import Finished, Store
from rapideval.endpoint.server.workers import Job, Reply
from rapideval.errors import RapidevalError, StorageError

__all__ = ["FullError", "OtherRequestError", "Tasks", "unpacked"]

_log = logging.getLogger(__name__)

# Arguments up to this size wait in memory, larger ones (raw images) on disk.
_KEEP_ARGS = 1 << 16

# Answers up to this size are kept in memory after they were written, up to so many bytes of them.
_KEEP_ANSWER = 1 << 16
_KEEP_ANSWERS = 32 << 20

# Unpacking more than this is left to a thread.
_UNPACK_HERE = 1 << 16

_RETRY_SECONDS = 1.0
_FORGET_SECONDS = 300.0


class FullError(RapidevalError):
    """The queue of an endpoint is full."""


class OtherRequestError(RapidevalError):
    """A submission whose key was used before, for other arguments."""


class _Live:
    """A task without an answer yet."""

    __slots__ = ("endpoint", "watchers")

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.watchers: list[asyncio.Future[None]] = []


class Tasks:
    """All tasks of a server."""

    def __init__(self, store: Store, limits: Limits, metrics: Metrics) -> None:
        self._store, self._limits, self._metrics = store, limits, metrics
        self._live: dict[str, _Live] = {}
        self._answers: OrderedDict[str, Finished] = OrderedDict()
        self._answer_bytes = 0
        self._writing: set[asyncio.Task[None]] = set()
        self._forgetting: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    # --- the server's life -----------------------------------------------------------------------

    async def start(self, endpoints: Endpoints) -> int:
        """Queue what an earlier run left unfinished; how much that is."""
        rows = await self._store.unfinished()
        for row in rows:
            endpoint = endpoints.resumed(row.endpoint)
            if endpoint is None:
                text = f"the endpoint {row.endpoint!r}, which this task was sent to, is not served any more"
                gone = Finished(row.endpoint, "", "failure", _quoted(text), False)
                await self._store.finish(row.number, gone, 0.0)
                continue
            self._live[row.id] = _Live(row.endpoint)
            endpoint.pool.put(Job(row.number, row.id, row.size, time.perf_counter(), None))
        self._forgetting = asyncio.create_task(self._forget())
        return len(rows)

    async def close(self) -> None:
        """Wait until all answers that workers gave are written."""
        if self._forgetting is not None:
            self._forgetting.cancel()
        if self._writing:
            await asyncio.wait(self._writing, timeout=_RETRY_SECONDS)

    # --- for clients -----------------------------------------------------------------------------

    async def submit(self, endpoint: Endpoint, args: bytes, submission: str | None) -> str:
        """Take a task: its id, once it is kept.

        Raises
        ------
        FullError
            Where too much waits already.
        OtherRequestError
            Where the submission's key was used for other arguments.
        StorageError
            Where it cannot be kept.
        """
        pool = endpoint.pool
        if len(pool.waiting) >= self._limits.queue or (
            pool.waiting and pool.waiting_bytes + len(args) > self._limits.queue_bytes
        ):
            raise FullError(f"{len(pool.waiting):,} tasks are waiting at {endpoint.name}")
        queued = time.perf_counter()
        task_id = str(uuid.uuid4())
        digest = hashlib.sha256(args).digest() if submission is not None else None
        live = self._live[task_id] = _Live(endpoint.name)
        try:
            number, kept_id, kept_digest = await self._store.add(task_id, endpoint.name, args, submission, digest)
        except StorageError as error:
            del self._live[task_id]
            self.trouble = str(error)
            raise
        self.trouble = None
        if kept_id != task_id:
            del self._live[task_id]
            if kept_digest != digest:
                raise OtherRequestError("this idempotency key was used before, for another request")
            return kept_id
        self._live[task_id] = live
        endpoint.pool.put(Job(number, task_id, len(args), queued, args if len(args) <= _KEEP_ARGS else None))
        return task_id

    async def find(self, task_id: str, endpoint: str | None = None) -> Finished | str | None:
        """A task's answer; ``"pending"``; or None where there is no such task (at that endpoint)."""
        live = self._live.get(task_id)
        found: Finished | str | None = live.endpoint if live is not None else self._answers.get(task_id)
        if found is None:
            found = await self._store.find(task_id)
        if found is None or (endpoint is not None and _endpoint(found) != endpoint):
            return None
        return "pending" if isinstance(found, str) else found

    async def wait(self, task_id: str, seconds: float) -> bool:
        """Wait for a task's answer; whether there is one."""
        live = self._live.get(task_id)
        if live is None:
            return True
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        live.watchers.append(watcher)
        try:
            async with asyncio.timeout(seconds):
                await watcher
        except TimeoutError:
            return False
        return True

    # --- for workers -----------------------------------------------------------------------------

    def done(self, endpoint: Endpoint, job: Job, reply: Reply) -> None:
        """Keep what a worker said, and tell who waits for it."""
        writing = asyncio.create_task(self._keep(endpoint, job, reply))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def _keep(self, endpoint: Endpoint, job: Job, reply: Reply) -> None:
        state = "success" if reply.ok else "failure"
        finished = Finished(
            endpoint.name, endpoint.version, "success" if reply.ok else "failure", reply.body, reply.packed
        )
        while True:
            try:
                await self._store.finish(job.number, finished, reply.seconds)
                break
            except StorageError as error:  # the task stays pending until there is room for its answer
                if self.trouble is None:
                    _log.error("an answer cannot be kept: %s", error)
                self.trouble = str(error)
                await asyncio.sleep(_RETRY_SECONDS)
        if self.trouble is not None:
            self.trouble = None
        if len(finished.answer) <= _KEEP_ANSWER:
            self._answers[job.task_id] = finished
            self._answer_bytes += len(finished.answer)
            while self._answer_bytes > _KEEP_ANSWERS:
                self._answer_bytes -= len(self._answers.popitem(last=False)[1].answer)
        live = self._live.pop(job.task_id, None)
        for watcher in live.watchers if live else ():
            if not watcher.done():
                watcher.set_result(None)
        self._metrics.tasks[endpoint.name, state] += 1
        self._metrics.worked[endpoint.name].add(reply.seconds)
        self._metrics.answered[endpoint.name].add(time.perf_counter() - job.queued)

    async def _forget(self) -> None:
        while True:
            try:
                before = time.time() - self._limits.keep_seconds
                if await self._store.forget(before):
                    self._answers.clear()
                    self._answer_bytes = 0
            except StorageError as error:
                _log.warning("old tasks cannot be deleted: %s", error)
            await asyncio.sleep(_FORGET_SECONDS)


async def unpacked(finished: Finished) -> bytes:
    """A task's answer as a JSON string."""
    if not finished.packed:
        return finished.answer
    if len(finished.answer) <= _UNPACK_HERE:
        return zlib.decompress(finished.answer)
    return await asyncio.to_thread(zlib.decompress, finished.answer)


def _endpoint(found: Finished | str) -> str:
    return found if isinstance(found, str) else found.endpoint


def _quoted(text: str) -> bytes:
    import msgspec

    return msgspec.json.encode(text)
