"""Which image each part of an answer speaks of.

Answers carry no image ids: the order of the request is the only link. Names come from the caller (`images`), else from
the request, else from the answer itself where it has them (``images`` beside a recorded state, a mapping of names, a
batch's row ids); the last resort is the file's own name, or a placeholder ``#0``, ``#1``, ... that joins with nothing,
and a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

from rapideval.errors import UsageError
from rapideval.model import Images, image_tail
from rapideval.payloads.places import Notes, Place, Problems
from rapideval.payloads.request import ImageName, read_requests
from rapideval.payloads.text import Tree

__all__ = ["ImageResult", "Sizes", "TaskResults", "name_images"]


@dataclass(slots=True)
class ImageResult:
    """What an answer says of one image.

    Attributes
    ----------
    tree, place
        The part of the answer.
    key, size
        Its image's name, and height and width, where the answer or the caller gives them.
    index
        Place of the image in the dataset.
    """

    tree: Tree
    place: Place
    key: str | None = None
    size: tuple[int, int] | None = None
    index: int = -1


@dataclass(slots=True)
class TaskResults:
    """Images of one task. `images` is None while the task has no result.

    Attributes
    ----------
    names
        What a caller may call the task: row id, task id, file name.
    stem
        File name without suffix, where the task is a file of its own.
    """

    place: Place
    images: list[ImageResult] | None
    names: tuple[str, ...] = ()
    stem: str | None = None
    row_id: str | None = None
    request: list[ImageName] | None = None
    single: bool = field(default=False)


class Sizes:
    """Heights and widths that the caller gave: by key, in the order of the images, or one for all."""

    def __init__(self, given: Any = None) -> None:
        self.by_key: dict[str, tuple[int, int]] = {}
        self.by_tail: dict[str, tuple[int, int]] = {}
        self.in_order: list[tuple[int, int]] | None = None
        self.of_all: tuple[int, int] | None = None
        if given is None:
            return
        if isinstance(given, Images):
            given = dict(zip(given.keys, given.sizes.tolist(), strict=True))
        if isinstance(given, Mapping):
            self.by_key = {
                str(key): size for key, value in given.items() if any(size := _size(value, f"sizes[{key!r}]"))
            }
            self.by_tail = {image_tail(key): size for key, size in self.by_key.items()}
            return
        array = np.asarray(given)
        if array.ndim == 1 and array.size:
            self.of_all = _size(given, "sizes")
        else:
            self.in_order = [_size(value, f"sizes[{row}]") for row, value in enumerate(given)]

    def of(self, key: str, index: int) -> tuple[int, int] | None:
        """Height and width of an image by its key and its place among all images."""
        size = self.by_key.get(key) or self.by_tail.get(image_tail(key)) or self.of_all
        if size is None and self.in_order is not None and index < len(self.in_order):
            size = self.in_order[index]
        return size if size and all(size) else None


def _size(value: Any, name: str) -> tuple[int, int]:
    try:
        height, width = (int(number) for number in value)
    except (TypeError, ValueError):
        raise UsageError(f"{name}: {value!r} is no pair of height and width") from None
    if height < 0 or width < 0 or max(height, width) >= 1 << 32:
        raise UsageError(f"{name}: height {height}, width {width} is no size of an image")
    return height, width


def name_images(
    tasks: Sequence[TaskResults],
    images: Any,
    request: Any,
    sizes: Any,
    problems: Problems,
    notes: Notes,
) -> Images:
    """Give every image of the tasks its key, size and place, and return them all; what does not fit is a problem."""
    given = _given(tasks, images, problems)
    asked = _asked(tasks, request, problems)
    if problems:
        return Images()
    known = Sizes(images if sizes is None and isinstance(images, Images) else sizes)
    nameless = 0
    order: list[tuple[str, tuple[int, int] | None, Place]] = []
    many = sum(len(task.images or ()) for task in tasks) > 1
    for number, task in enumerate(tasks):
        if task.images is None:
            continue
        expected = _expected(task, given[number], asked[number], problems)
        if expected is None:
            continue
        for index, (result, name) in enumerate(zip(task.images, expected, strict=True)):
            key = name.key or result.key
            if key is None and task.row_id is not None:
                key = task.row_id if len(task.images) == 1 else f"{task.row_id}#{index}"
                _tell_last_resort(notes, task, "the row id of the batch", key)
            if key is None and task.stem is not None and len(task.images) == 1:
                key = task.stem
                _tell_last_resort(notes, task, "the name of the file", key)
            if key is None:
                key = f"#{len(order)}" if many or task.stem is None else f"{task.stem}#{index}"
                nameless += 1
            result.key, result.index = key, len(order)
            result.size = known.of(key, len(order)) or name.size or result.size
            order.append((key, result.size, result.place))
    if nameless:
        notes.warn(
            "image-keys",
            tasks[0].place.document,
            f"{nameless:,} image{'' if nameless == 1 else 's'} without a name",
            "the request, or the images' names in its order",
            "an answer names no images: pass request= or images= (--request, --image-names), or it joins with nothing",
        )
    _check_unique(order, problems)
    if problems:
        return Images()
    return Images([key for key, _, _ in order], sizes=[size or (0, 0) for _, size, _ in order] or None)


def _tell_last_resort(notes: Notes, task: TaskResults, what: str, key: str) -> None:
    notes.tell(
        "image-keys",
        task.place.document,
        f"no names of images: {what} is taken, {key!r}",
        "pass request= or images= (--request, --image-names) to say which image it is",
        kind=what,
    )


def _check_unique(order: Sequence[tuple[str, Any, Place]], problems: Problems) -> None:
    first: dict[str, Place] = {}
    for key, _, place in order:
        if key in first:
            problems.add(
                "image-duplicate",
                place,
                f"a second result for image {key!r}, as {first[key]}",
                "one result for each image",
                "left out one of the two? Counted twice, every score would be wrong",
            )
        first.setdefault(key, place)


def _names(value: Any, what: str) -> list[ImageName]:
    if isinstance(value, (str, PurePath)):
        return [ImageName(str(value))]
    if isinstance(value, Images):
        return [ImageName(key) for key in value.keys]
    names = []
    for item in value:
        if not isinstance(item, (str, int, PurePath, np.integer)) or isinstance(item, bool) or item == "":
            raise UsageError(f"{what}: {item!r} is no name of an image")
        names.append(ImageName(str(item)))
    return names


def _given(tasks: Sequence[TaskResults], images: Any, problems: Problems) -> list[list[ImageName] | None]:
    """The caller's names for each task."""
    if images is None:
        return [None] * len(tasks)
    if isinstance(images, Mapping):
        named: list[list[ImageName] | None] = []
        for task in tasks:
            name = next((name for name in task.names if name in images), None)
            if name is None and task.images is not None:
                called = " or ".join(map(repr, task.names)) or "without an id"
                problems.add("image-keys", task.place, f"a task {called}", "one that the mapping of images names")
            named.append(None if name is None else _names(images[name], f"images[{name!r}]"))
        return named
    if not isinstance(images, (str, PurePath, Images)):
        images = list(images)
        if images and all(isinstance(item, (list, tuple)) for item in images):
            if len(images) != len(tasks):
                problems.add("M23", tasks[0].place.document, f"{len(tasks):,} tasks", f"{len(images):,}, as images has")
                return [None] * len(tasks)
            return [_names(item, f"images[{index}]") for index, item in enumerate(images)]
    return _split(tasks, _names(images, "images"), problems)


def _split(tasks: Sequence[TaskResults], names: list[ImageName], problems: Problems) -> list[list[ImageName] | None]:
    """A flat list of names, dealt out to the tasks."""
    if len(tasks) == 1:
        return [names]
    _check_order(tasks, problems)
    counts = [None if task.images is None else len(task.images) for task in tasks]
    if len(names) == len(tasks) and all(count in (None, 1) for count in counts):
        return [[name] for name in names]
    have = sum(count or 0 for count in counts)
    if None in counts or have != len(names):
        found = f"{len(tasks):,} tasks with {have:,} results"
        if None in counts:
            found += f" ({counts.count(None):,} of them without a result)"
        hint = "give a list of names for each task, or a mapping of task id to names" if None in counts else ""
        problems.add("M23", tasks[0].place.document, found, f"{len(names):,} images, as given", hint)
        return [None] * len(tasks)
    dealt: list[list[ImageName] | None] = []
    start = 0
    for count in counts:
        dealt.append(names[start : start + (count or 0)])
        start += count or 0
    return dealt


def _check_order(tasks: Sequence[TaskResults], problems: Problems) -> None:
    """Refuse a list of names for batch rows that are not in the order of their numbers."""
    ids = [task.row_id for task in tasks]
    if not all(row_id is not None and row_id.isdecimal() for row_id in ids):
        return
    numbers = [int(row_id or 0) for row_id in ids]
    if numbers != sorted(numbers):
        row = next(i for i in range(1, len(numbers)) if numbers[i] < numbers[i - 1])
        problems.add(
            "M23",
            tasks[row].place,
            f'row id "{numbers[row]}" after "{numbers[row - 1]}"',
            "rows in the order of the request, to take names from a list",
            "give the names as a mapping of row id to image",
        )


def _asked(tasks: Sequence[TaskResults], request: Any, problems: Problems) -> list[list[ImageName] | None]:
    """The request's names for each task."""
    if request is None:
        return [task.request for task in tasks]
    requests = read_requests(request)
    if len(requests) == len(tasks):
        return list(requests)
    if len(requests) == 1:
        return _split(tasks, requests[0], problems)
    problems.add("M23", tasks[0].place.document, f"{len(tasks):,} tasks", f"{len(requests):,}, as requests")
    return [None] * len(tasks)


def _expected(
    task: TaskResults, given: list[ImageName] | None, asked: list[ImageName] | None, problems: Problems
) -> list[ImageName] | None:
    """Names for the images of one task, or None where their number does not fit."""
    assert task.images is not None
    found = task.images
    for names, whose in ((given, "images given"), (asked, "images in the request")):
        if names is not None and len(names) != len(found):
            what = f"{len(found):,} result{'' if len(found) == 1 else 's'}"
            hint = ""
            if task.single:
                hint = "an object that is not in a list is the result of one image"
            elif not found:
                hint = "an empty list says nothing of any image; a service that lists objects can be named (payload=)"
            problems.add("M23", task.place, what, f"{len(names):,}, one for each of the {whose}", hint)
            return None
    names = given or asked
    if names is None:
        return [ImageName(result.key) for result in found]
    if asked is not None and given is not None:
        names = [ImageName(own.key or other.key, other.size) for own, other in zip(given, asked, strict=True)]
    if all(result.key is not None for result in found) and all(name.key is not None for name in names):
        return _by_key(task, names, problems)
    return names


def _by_key(task: TaskResults, names: list[ImageName], problems: Problems) -> list[ImageName] | None:
    """The expected names in the order of an answer that names its images itself."""
    assert task.images is not None
    exact = {name.key: name for name in names}
    tails = {image_tail(name.key or ""): name for name in names}
    ordered: list[ImageName] = []
    for result in task.images:
        key = result.key or ""
        name = exact.get(key) or tails.get(image_tail(key))
        if name is None or name in ordered:
            problems.add("M23", result.place, f"image {key!r}", f"one of the {len(names):,} that were asked for")
            return None
        ordered.append(name)
    return ordered
