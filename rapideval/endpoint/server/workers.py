"""The server's side of its worker processes: one worker, and the pool that an endpoint has of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from rapideval.endpoint.server import frames
from rapideval.endpoint.server.worker import Setup
from rapideval.errors import RapidevalError

__all__ = ["Job", "Pool", "PoolSize", "Reply", "StartError", "Worker", "WorkerLostError"]

_STOP_SECONDS = 2.0
_PIPE_BUFFER = 1 << 20


class StartError(RapidevalError):
    """A model that does not load; the message is its traceback."""


class WorkerLostError(RapidevalError):
    """A worker process that ended in the middle of a task."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker said to a task.

    Attributes
    ----------
    ok
        Whether the model answered; else the body tells why not.
    body
        A JSON string (with its quotes): the result or the traceback.
    packed
        Whether the body is compressed (zlib).
    seconds
        How long the worker had the task.
    """

    ok: bool
    body: bytes
    packed: bool
    seconds: float


class Worker:
    """One worker process, ready for tasks."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._tasks, self._answers = process, process.stdin, process.stdout

    @classmethod
    async def start(cls, setup: Setup, seconds: float) -> Worker:
        """Start a process and wait until its model is loaded.

        Raises
        ------
        StartError
            Where the model does not load, or not within the time given.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the package the server runs from, not a folder of that name where it was started
            "-m",
            "rapideval.endpoint.server.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_PIPE_BUFFER,
            start_new_session=True,  # a Ctrl-C at the server's terminal is the server's affair
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(seconds):
                worker._send(msgspec.to_builtins(setup), b"")
                header, body = await frames.read(worker._answers)
        except TimeoutError:
            await worker.kill()
            raise StartError(f"TimeoutError: the model did not load within {seconds:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise StartError(f"WorkerLostError: while the model was loading, {await worker.end()}") from None
        except asyncio.CancelledError:
            await worker.kill()
            raise
        if not header["ready"]:
            await worker.kill()
            raise StartError(body.decode())
        return worker

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def run(self, args: bytes) -> Reply:
        """Have a task answered.

        Raises
        ------
        WorkerLostError
            Where the process ended instead.
        """
        try:
            self._send(None, args)
            header, body = await frames.read(self._answers)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise WorkerLostError(f"WorkerLostError: {await self.end()}") from None
        return Reply(header["ok"], body, header["packed"], header["seconds"])

    def _send(self, header: Any, body: bytes) -> None:
        start, body = frames.pack(header, body)
        self._tasks.write(start)
        if body:
            self._tasks.write(body)

    async def end(self) -> str:
        """How the process ended."""
        code = await self._reap()
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"the worker process was killed by {signal.Signals(-code).name}"
        return f"the worker process exited with code {code}"

    async def stop(self) -> None:
        """Let an idle worker end; one that does not is killed."""
        self._tasks.close()
        await self._reap()

    async def kill(self) -> None:
        """End the process, and those it started, at once."""
        if self._process.returncode is None:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    async def _reap(self) -> int:
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            assert self._process.returncode is not None
            return self._process.returncode


# --- pools ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many workers a pool has.

    Attributes
    ----------
    least
        Workers that are always warm.
    most
        Workers when there is work for them.
    cool_down
        Seconds without work after which a worker above ``least`` ends.
    """

    least: int
    most: int
    cool_down: float


@dataclass(slots=True)
class Job:
    """A task on its way through a pool."""

    number: int
    task_id: str
    size: int
    queued: float
    args: bytes | None


class Pool:
    """The workers of an endpoint, and the queue before them.

    Parameters
    ----------
    setup
        What its workers load.
    size
        How many there are.
    task_seconds, start_seconds
        Time limits of a task, and of loading the model.
    fetch
        Gives the arguments of a job that does not carry them; a RapidevalError fails the job.
    done
        Called with each job and its reply.
    started
        Called with the seconds that a worker took from nothing to ready.
    """

    def __init__(
        self,
        setup: Setup,
        size: PoolSize,
        *,
        task_seconds: float,
        start_seconds: float,
        fetch: Callable[[Job], Awaitable[bytes]],
        done: Callable[[Job, Reply], None],
        started: Callable[[float], None],
    ) -> None:
        self.setup, self.size = setup, size
        self._task_seconds, self._start_seconds = task_seconds, start_seconds
        self._fetch, self._done, self._started = fetch, done, started
        self.waiting: deque[Job] = deque()
        self.waiting_bytes = 0
        self.busy = 0
        self._idle: list[asyncio.Future[Job | None]] = []
        self._lives: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._closing = False

    @property
    def workers(self) -> int:
        """How many worker processes there are, starting ones included."""
        return len(self._lives)

    def warm(self) -> None:
        """Start the workers that are always there."""
        while len(self._lives) < self.size.least and not self._closing:
            self._spawn()

    def put(self, job: Job) -> None:
        """Queue a task; a worker is started if none is free."""
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(job)
                return
        self.waiting.append(job)
        self.waiting_bytes += job.size
        if len(self.waiting) > self._starting and len(self._lives) < self.size.most and not self._closing:
            self._spawn()

    def drain(self) -> list[Job]:
        """Take all waiting tasks out of the queue."""
        return [self._take() for _ in range(len(self.waiting))]

    def cool(self) -> None:
        """Let the workers that have nothing to do end, down to those that are always there."""
        while self._idle and len(self._lives) > self.size.least:
            _dismiss(self._idle.pop())

    async def close(self, grace: float) -> None:
        """Stop taking tasks, give those under way some time, end the workers; what waits stays queued."""
        self._closing = True
        for idle in self._idle:
            _dismiss(idle)
        if self._lives:
            _, late = await asyncio.wait(self._lives, timeout=grace)
            for life in late:
                life.cancel()
            if late:
                await asyncio.wait(late)

    # --- a worker's life -------------------------------------------------------------------------

    def _spawn(self) -> None:
        life = asyncio.create_task(self._live())
        self._lives.add(life)
        life.add_done_callback(self._ended)

    def _ended(self, life: asyncio.Task[None]) -> None:
        self._lives.discard(life)
        if not life.cancelled():
            life.exception()  # StartError was told to the tasks already
        if not self._closing:
            if self.waiting and len(self._lives) < self.size.most:
                self._spawn()
            elif life.cancelled() or life.exception() is None:
                self.warm()

    async def _live(self) -> None:
        worker = await self._start()
        try:
            while (job := await self._next()) is not None:
                self.busy += 1
                try:
                    alive = await self._work(worker, job)
                finally:
                    self.busy -= 1
                if not alive:
                    return
        except asyncio.CancelledError:
            await worker.kill()
            raise
        await worker.stop()

    async def _start(self) -> Worker:
        began = time.perf_counter()
        self._starting += 1
        try:
            worker = await Worker.start(self.setup, self._start_seconds)
        except StartError as error:
            # a model that does not load does not load for the next task either
            body = msgspec.json.encode(str(error))
            for job in self.drain():
                self._done(job, Reply(False, body, False, 0.0))
            raise
        finally:
            self._starting -= 1
        self._started(time.perf_counter() - began)
        return worker

    def _take(self) -> Job:
        job = self.waiting.popleft()
        self.waiting_bytes -= job.size
        return job

    async def _next(self) -> Job | None:
        """The next task; None when this worker has cooled down or the pool closes."""
        if self._closing:
            return None
        if self.waiting:
            return self._take()
        loop = asyncio.get_running_loop()
        idle: asyncio.Future[Job | None] = loop.create_future()
        self._idle.append(idle)
        timer = None
        if len(self._lives) > self.size.least:
            timer = loop.call_later(self.size.cool_down, _dismiss, idle)
        try:
            job = await idle
        finally:
            if timer is not None:
                timer.cancel()
        if job is None and idle in self._idle:
            self._idle.remove(idle)
        return job

    async def _work(self, worker: Worker, job: Job) -> bool:
        """Have one task answered; False when the worker is gone afterwards."""
        try:
            args = job.args if job.args is not None else await self._fetch(job)
        except RapidevalError as error:
            self._done(job, Reply(False, msgspec.json.encode(f"{type(error).__name__}: {error}"), False, 0.0))
            return True
        try:
            async with asyncio.timeout(self._task_seconds):
                reply = await worker.run(args)
        except TimeoutError:
            await worker.kill()
            text = f"TimeLimitExceeded: the model took more than {self._task_seconds:g} s"
            self._done(job, Reply(False, msgspec.json.encode(text), False, self._task_seconds))
            return False
        except WorkerLostError as error:
            await worker.kill()
            self._done(job, Reply(False, msgspec.json.encode(str(error)), False, 0.0))
            return False
        self._done(job, reply)
        return True


def _dismiss(idle: asyncio.Future[Job | None]) -> None:
    """Tell an idle worker that it may end."""
    if not idle.done():
        idle.set_result(None)
