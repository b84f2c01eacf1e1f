"""Whatever it is: a file of the ecosystem, a recorded answer of an endpoint, or a folder of answers -> `Dataset`.

Formats are told by content first. What is JSON and none of the formats is an answer: an answer's shapes are so many
that only reading it tells, and `rapideval.payloads` then says what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from rapideval.errors import FormatError, UsageError
from rapideval.formats import FORMATS, Source, detect, get, read
from rapideval.formats.jsonshape import json_shape

if TYPE_CHECKING:
    from rapideval.formats.picture_files import Watch
    from rapideval.model import Dataset
    from rapideval.payloads import Answer

__all__ = ["Loaded", "Recognised", "load", "recognise"]

ANSWERS = "answers"

# Most files: looked for before the other formats, so that those need not be imported.
_FIRST = ("coco", "coco-results")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a source is.

    Attributes
    ----------
    name
        Of the format, or ``"answers"``.
    title
        The same for people.
    reason
        What in the content says so.
    """

    name: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A dataset, and what it was read from.

    Attributes
    ----------
    dataset
        Images, labels, annotations; its notes say what was mended, derived or skipped.
    source
        What the source is; for an answer the name is that of the service.
    answer
        The tasks of an answer and their status; None for a file of a format.
    """

    dataset: Dataset
    source: Recognised
    answer: Answer | None = None


def recognise(source: Any, format: str | None = None) -> Recognised:  # noqa: A002
    """Say what a source is, without reading all of it.

    Parameters
    ----------
    source
        Path of a file or folder, ``"-"``, bytes, an open binary file, or a `rapideval.formats.Source`.
    format
        What it is said to be: a format, a service whose payloads are read, or ``"answers"``.

    Raises
    ------
    FormatError
        Where it is nothing known, or may be several formats.
    UsageError
        Where `format` is the name of nothing.

    Examples
    --------
    >>> recognise(b'[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.5}]').name
    'coco-results'
    >>> recognise(b'{"status": "SUCCESS", "result": {"result": "[]"}}').name
    'answers'
    """
    if format is not None:
        return _named(format)
    source = source if isinstance(source, Source) else Source(source)
    for name in _FIRST:
        if not source.is_folder and source.suffix in ("", ".json"):
            guess = get(name).sniff(source)
            if guess is not None and guess.certainty == 1:
                return Recognised(name, get(name).title, guess.reason)
    try:
        known, reason = detect(source)
    except FormatError as error:
        if error.rule != "format-unknown":
            raise
        why = _why_answers(source)
        if why is None:
            raise
        return Recognised(ANSWERS, "Answers of an inference endpoint", why)
    return Recognised(known.name, known.title, reason)


def _named(name: str) -> Recognised:
    if name in FORMATS:
        return Recognised(name, get(name).title, "as was said")
    from rapideval.payloads import SERVICES

    if name == ANSWERS:
        return Recognised(name, "Answers of an inference endpoint", "as was said")
    if name in SERVICES:
        return Recognised(name, f"Answers of {SERVICES[name].title}", "as was said")
    from difflib import get_close_matches

    known = (*FORMATS, ANSWERS, *SERVICES)
    near = get_close_matches(name, known, n=3)
    raise UsageError(f"no format {name!r}: " + (f"did you mean {' or '.join(near)}?" if near else ", ".join(known)))


def _why_answers(source: Source) -> str | None:
    """Why a source of no format may be an answer; None where it cannot be."""
    if source.is_folder:
        from rapideval.payloads import answer_files

        assert source.path is not None
        files = answer_files(source.path)
        return f"a folder of {len(files):,} JSON file{'' if len(files) == 1 else 's'}" if files else None
    head = source.head(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if head == b'"':
        return "a JSON string"
    begins, path = {b"{": ("a JSON object", "$"), b"[": ("a JSON array of objects", "$[]")}.get(head, ("", ""))
    keys = sorted(json_shape(source).get(path, set()) - {""})
    return f"{begins} with {', '.join(keys[:6])}" if keys else begins or None


def load(
    source: str | os.PathLike[str] | bytes | BinaryIO,
    format: str | None = None,  # noqa: A002
    *,
    ground_truth: Dataset | None = None,
    extras: bool = True,
    image_folder: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    watch: Watch | None = None,
    **options: Any,
) -> Loaded:
    """Read whatever it is: a file of the ecosystem, a recorded answer of an endpoint, or a folder of answers.

    Parameters
    ----------
    source
        Path, ``"-"`` for the standard input, bytes or an open binary file.
    format
        A format, a service whose payloads are read, or ``"answers"``; found from the content where not given.
    ground_truth
        What predictions refer to: the numbers of COCO results, the sizes of the images of an answer.
    extras
        Keep fields that the model has no column for, to write them back; without them reading is faster.
    image_folder
        Where the image files are, a folder or several: sizes that the source does not say are read from their heads.
    watch
        Is told how far the reading of sizes is.
    **options
        For a file those of `rapideval.read` and of the format, for answers those of `rapideval.parse`.

    Returns
    -------
    Loaded

    Raises
    ------
    InputError
        Where the source is not what it should be, or nothing known.
    EndpointError
        Where no task of an answer has finished.
    UsageError
        For an option that the format or the answer does not have.

    Examples
    --------
    >>> loaded = load(b'[{"boxes": [[1, 2, 31, 42]], "scores": [0.9], "labels": ["car"]}]', images=["a.jpg"])
    >>> loaded.dataset, loaded.source.name
    (Dataset(1 image, 1 label, 1 prediction), 'scale-rapid')
    """
    opened = Source(source)
    recognised = recognise(opened, format)
    folders = [image_folder] if isinstance(image_folder, str | os.PathLike) else list(image_folder)
    if recognised.name not in FORMATS:
        loaded = _load_answers(opened, recognised, ground_truth, options)
    else:
        if len(folders) == 1 and "image_folder" in get(recognised.name).read_options:
            options = {"image_folder": os.fspath(folders[0])} | options
        loaded = _load_file(opened, recognised, ground_truth, extras, options)
    if not folders or loaded.dataset.images.sizes_known.all():
        return loaded
    from rapideval.formats.picture_files import fill_sizes, find_pictures

    filled = fill_sizes(loaded.dataset, find_pictures(loaded.dataset.images, folders), watch=watch)
    return replace(loaded, dataset=filled)


def _load_file(
    source: Source, what: Recognised, ground_truth: Dataset | None, extras: bool, options: dict[str, Any]
) -> Loaded:
    if ground_truth is not None:
        options = {"images": ground_truth.images, "labels": ground_truth.labels} | options
    if not extras and "extras" in get(what.name).read_options:
        options = {"extras": False} | options
    return Loaded(read(source, what.name, **options), what)


def _load_answers(source: Source, what: Recognised, ground_truth: Dataset | None, options: dict[str, Any]) -> Loaded:
    from rapideval.payloads import SERVICES, parse, read_answers

    if what.name != ANSWERS:
        options = options | {"payload": what.name}
    if ground_truth is not None:
        options = {"sizes": ground_truth.images} | options
    if source.path is None or source.compression:
        answer = parse(source.data(), name=source.name, **options)
    else:
        # Also a single file: what was asked may stand in a file beside it.
        answer = read_answers(source.path if source.is_folder else [source.path], **options)
    if answer.dataset is None:
        answer.require()
    assert answer.dataset is not None
    names = (answer.payload or what.name).split(", ")
    title = ", ".join(SERVICES[name].title for name in names if name in SERVICES)
    recognised = Recognised(", ".join(names), f"Answers of {title}" if title else what.title, what.reason)
    return Loaded(answer.dataset, recognised, answer)
