"""A run: images go to an endpoint, answers come into a journal, and what failed is told.

Some lanes work side by side. A lane takes the next images, makes a task of them, submits it, polls until it is
answered, writes the answer down, and goes on. A run that was killed goes on where it was when it is started again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from rapideval.endpoint.client import EndpointClient, NoTaskError, RefusedError
from rapideval.endpoint.images import ImageInput, ImageSource, find_images
from rapideval.endpoint.journal import Counts, Journal, JournalImage, JournalTask
from rapideval.endpoint.pixels import MAX_PIXELS, image_json, read_image
from rapideval.endpoint.protocol import Dialect, task_body
from rapideval.endpoint.results import Results
from rapideval.endpoint.secrets import ApiKey, read_key
from rapideval.errors import EndpointError, FormatError, RapidevalError, UsageError

__all__ = ["Plan", "Progress", "predict", "run"]

T = TypeVar("T")

JOURNAL = "journal.sqlite"

_MOST_LOST = 2
_TOO_LARGE = 413

# Bodies with pixels are made and held by this many lanes at a time: one takes 14 bytes a pixel.
_PIXEL_LANES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How images are sent.

    Attributes
    ----------
    batch
        Images of one task.
    in_flight
        Tasks at the endpoint at a time.
    task_seconds
        How long a task may be pending; an id that the service does not know is pending for ever.
    shortest_poll, longest_poll
        Bounds of the wait between two polls of a task. Between them it grows with the task's age, so that an answer is
        noticed within a quarter of the time it took.
    form
        Under which name images are sent: ``image_url`` (one), ``image_urls``, ``images``; ``auto`` takes the first
        that fits.
    scale_s3_url
        Whether S3 URLs are of the service's own bucket.
    split
        Whether the images of a task that failed are sent again, each alone, since one may have spoilt it for all.
    max_pixels
        Largest image whose pixels are sent.
    """

    batch: int = 1
    in_flight: int = 32
    task_seconds: float = 600.0
    shortest_poll: float = 0.01
    longest_poll: float = 5.0
    form: Literal["auto", "image_url", "image_urls", "images"] = "auto"
    scale_s3_url: bool = False
    split: bool = True
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        for name in ("batch", "in_flight"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if self.form == "image_url" and self.batch > 1:
            raise UsageError("image_url names one image: batches need image_urls or images")
        if not 0 < self.shortest_poll <= self.longest_poll:
            raise UsageError("shortest_poll should be more than 0 and not more than longest_poll")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: images by what became of them, and answers a second since it began."""

    counts: Counts
    rate: float


Watcher = Callable[[Progress], None]


def predict(
    images: Sequence[ImageSource] | ImageSource,
    endpoint: str,
    folder: str | Path,
    *,
    key: ApiKey | str | None = None,
    key_file: str | Path | None = None,
    base_url: str | None = None,
    dialect: Dialect = "v0",
    url_prefix: str | None = None,
    image_folder: str | Path | None = None,
    plan: Plan | None = None,
    retry_failed: bool = False,
    patience: float = 300.0,
    timeout: float = 60.0,
    allow_http: bool = False,
    watch: Watcher | None = None,
) -> Results:
    """Send images to a hosted endpoint, and keep every answer.

    Parameters
    ----------
    images
        Folders, image files, URLs, lists of URLs, COCO files; or a mapping of keys to arrays (H, W, 3). See
        :func:`rapideval.endpoint.images.find_images`.
    endpoint
        Name of the endpoint.
    folder
        Where the journal is kept. A run that is repeated with the same folder goes on where the last one ended.
    key, key_file
        The API key; by default the environment variable ``SCALE_API_KEY``.
    base_url, dialect, patience, timeout, allow_http
        See :class:`rapideval.endpoint.client.EndpointClient`.
    url_prefix, image_folder
        Where images of folders and COCO files are; see :func:`rapideval.endpoint.images.find_images`.
    plan
        Batches, tasks in flight, time limits.
    retry_failed
        Send images again whose tasks failed in an earlier run.
    watch
        Called now and then with the progress.

    Returns
    -------
    Results
        The answers, the images that failed and why, and the dataset.

    Raises
    ------
    UsageError, InputError
        Where there is no key, or the images are not there.
    EndpointError
        Where the endpoint cannot be reached or refuses the key; what was answered is kept.
    StorageError
        Where the journal is in use by another run, or the disk is full.
    """
    given = ApiKey(key) if isinstance(key, str) else key
    client = EndpointClient(
        endpoint,
        given if given is not None else read_key(None if key_file is None else Path(key_file)),
        base_url=base_url,
        dialect=dialect,
        connections=min((plan or Plan()).in_flight, 64),
        patience=patience,
        timeout=timeout,
        allow_http=allow_http,
    )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / JOURNAL)
    arrays: dict[str, Any] = {}

    def noted(image: ImageInput) -> ImageInput:
        if image.pixels is not None:
            arrays[image.key] = image.pixels
        return image

    try:
        submission = journal.begin(endpoint=endpoint, base_url=client.base_url, dialect=dialect)
        found = find_images(images, url_prefix=url_prefix, folder=None if image_folder is None else Path(image_folder))
        journal.add(map(noted, found))
        if retry_failed:
            journal.retry_failed()
        _run_here(run(client, journal, plan or Plan(), submission, arrays, watch))
    except BaseException:
        journal.close()
        raise
    return Results(journal)


async def run(
    client: EndpointClient,
    journal: Journal,
    plan: Plan,
    submission: str,
    arrays: dict[str, Any] | None = None,
    watch: Watcher | None = None,
) -> None:
    """Have every image of a journal answered, as far as the endpoint answers.

    Raises
    ------
    EndpointError
        Where it cannot be reached.
    StorageError
        Where the journal cannot be written.
    """
    async with client:
        lanes = _Lanes(client, journal, plan, submission, arrays or {})
        await lanes.run(watch)


class _Pace:
    """When to poll: first about when the last answers came, then ever more slowly."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._usual: float | None = None

    def first(self) -> float:
        if self._usual is None:
            return self._bounded(0.05)
        return self._bounded(0.8 * self._usual)

    def next(self, age: float) -> float:
        return self._bounded(0.25 * age)

    def answered(self, age: float) -> None:
        self._usual = age if self._usual is None else 0.9 * self._usual + 0.1 * age

    def _bounded(self, seconds: float) -> float:
        bounded = min(max(seconds, self._plan.shortest_poll), self._plan.longest_poll)
        return bounded * random.uniform(0.9, 1.1)


class _Lanes:
    """The lanes of a run."""

    def __init__(
        self, client: EndpointClient, journal: Journal, plan: Plan, submission: str, arrays: dict[str, Any]
    ) -> None:
        self._client, self._journal, self._plan = client, journal, plan
        self._submission, self._arrays = submission, arrays
        self._resumed: deque[JournalTask] = deque()
        self._pace = _Pace(plan)
        self._pixels = asyncio.Semaphore(_PIXEL_LANES)
        self._counts = journal.counts()
        self._answered_before = self._counts.answered
        self._began = time.monotonic()

    async def run(self, watch: Watcher | None) -> None:
        self._resumed.extend(await self._journal.unfinished())
        late = sum(len(task.images) for task in self._resumed)
        if late:  # those that were late are open again
            failed = self._counts.failed - min(late, self._counts.failed)
            self._counts = replace(self._counts, failed=failed)
        watching = None if watch is None else asyncio.create_task(self._tell(watch))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._plan.in_flight):
                    group.create_task(self._lane())
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        finally:
            if watching is not None:
                watching.cancel()
        if watch is not None:
            watch(self._progress())

    def _progress(self) -> Progress:
        seconds = max(time.monotonic() - self._began, 1e-6)
        return Progress(self._counts, (self._counts.answered - self._answered_before) / seconds)

    async def _tell(self, watch: Watcher) -> None:
        while True:
            watch(self._progress())
            await asyncio.sleep(0.1)

    async def _lane(self) -> None:
        while (task := await self._next()) is not None:
            while task is not None:
                task = await self._one(task)

    async def _next(self) -> JournalTask | None:
        if self._resumed:
            return self._resumed.popleft()
        return await self._journal.next(self._plan.batch)

    async def _one(self, task: JournalTask) -> JournalTask | None:
        """Bring a task to its end; the task that takes its place where the endpoint lost it."""
        try:
            if task.id is None:
                task = await self._submit(task)
            body = await self._poll(task)
        except NoTaskError as error:
            if task.lost < _MOST_LOST:
                return await self._journal.lost(task)
            await self._failed(task, str(error))
        except RefusedError as error:
            await self._failed(task, str(error))
        except _TaskFailed as error:
            await self._failed(task, str(error))
        except _TooLate as error:
            await self._journal.late(task, str(error))
            self._count(failed=len(task.images))
        else:
            await self._journal.answered(task, body)
            self._count(answered=len(task.images))
        return None

    async def _failed(self, task: JournalTask, reason: str) -> None:
        if len(task.images) > 1 and self._plan.split:
            await self._journal.split(task, reason)
        else:
            await self._journal.failed(task, reason)
            self._count(failed=len(task.images))

    def _count(self, answered: int = 0, failed: int = 0) -> None:
        counts = self._counts
        self._counts = replace(counts, answered=counts.answered + answered, failed=counts.failed + failed)

    # --- a task ----------------------------------------------------------------------------------

    async def _submit(self, task: JournalTask) -> JournalTask:
        name = f"{self._submission}/{task.number}"
        if any(image.url is None for image in task.images):
            async with self._pixels:
                body = await asyncio.to_thread(self._body, task.images)
                submitted = await self._client.submit(body, name)
        else:
            submitted = await self._client.submit(self._body(task.images), name)
        await self._journal.sent(task, submitted.task_id, submitted.tries, submitted.uncertain)
        return replace(task, id=submitted.task_id)

    def _body(self, images: tuple[JournalImage, ...]) -> bytes:
        form = self._plan.form
        urls = [image.url for image in images]
        raw = any(url is None for url in urls)
        own_form = raw or any(url is not None and url.startswith("s3://") for url in urls)
        if form == "auto":
            form = "images" if own_form else "image_url" if len(images) == 1 else "image_urls"
        if raw and form != "images":
            raise UsageError(f"pixels are sent under images, not under {form}: images without a URL need form='images'")
        if form == "image_url":
            return task_body({"image_url": urls[0]})
        args: dict[str, Any] = {form: [image.url or msgspec.Raw(self._pixels_of(image)) for image in images]}
        if form == "images":
            args["scale_s3_url"] = self._plan.scale_s3_url
        return task_body(args)

    def _pixels_of(self, image: JournalImage) -> bytes:
        array = self._arrays.get(image.key)
        if array is None:
            if image.path is None:
                raise _TaskFailed(f"the pixels of {image.key!r} were not given to this run")
            try:
                array = read_image(Path(image.path), self._plan.max_pixels)
            except FormatError as error:
                raise _TaskFailed(str(error)) from None
        return image_json(array)

    async def _poll(self, task: JournalTask) -> bytes:
        """The body of the answer of a task that succeeded."""
        assert task.id is not None
        began = time.monotonic()
        wait = self._pace.first()
        while True:
            await asyncio.sleep(wait)
            try:
                answer, body = await self._client.poll(task.id)
            except RapidevalError as error:
                if type(error) is EndpointError:  # an answer that makes no sense is this task's alone
                    raise _TaskFailed(str(error)) from None
                raise
            age = time.monotonic() - began
            if answer.state == "success":
                self._pace.answered(age)
                return body
            if answer.state == "failure":
                self._pace.answered(age)
                raise _TaskFailed(answer.detail)
            if age > self._plan.task_seconds:
                raise _TooLate(f"no answer within {self._plan.task_seconds:g} s (task {task.id})")
            wait = min(self._pace.next(age), max(self._plan.task_seconds - age, self._plan.shortest_poll))


class _TaskFailed(Exception):
    """A task that the endpoint failed, or that cannot be sent."""


class _TooLate(Exception):
    """A task that is pending for too long."""


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended a run: all lanes tend to fail of the same."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _run_here(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end, in a thread of its own where an event loop is running already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
