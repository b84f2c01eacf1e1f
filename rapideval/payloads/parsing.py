"""Parsing: a source is opened, its envelopes taken off, its images named and their results read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

from rapideval.errors import InputError
from rapideval.model import Dataset, Labels
from rapideval.payloads.answer import Answer, Task
from rapideval.payloads.context import Context
from rapideval.payloads.envelope import Envelope, open_envelopes
from rapideval.payloads.keys import ImageResult, TaskResults, name_images
from rapideval.payloads.options import BoxOrder, LabelNames, Options, Prefer
from rapideval.payloads.places import Notes, Place, Problems
from rapideval.payloads.registry import Service, choose, service
from rapideval.payloads.request import ImageName
from rapideval.payloads.text import Reader, Text, load

__all__ = ["Document", "parse", "parse_documents"]

_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be parsed, and what is known of its images.

    Attributes
    ----------
    name
        What messages call it.
    data
        Its text, or None where `value` is its Python object.
    stem
        File name without suffixes; None where it is no file.
    names
        What else a caller may call its task.
    request
        Images of the request, where it is known.
    """

    name: str
    data: Text | None
    value: Any = None
    stem: str | None = None
    names: tuple[str, ...] = ()
    request: list[ImageName] | None = None


def parse(
    source: Any,
    *,
    request: Any = None,
    images: Any = None,
    sizes: Any = None,
    labels: Labels | Sequence[str] | Mapping[Any, str] | None = None,
    payload: str | None = None,
    name: str | None = None,
    lenient: bool = False,
    class_masks: bool = False,
    clip: bool = False,
    prefer: Prefer = "instance",
    semantic_label: str = "foreground",
    boxes: BoxOrder | None = None,
    relative: bool | None = None,
    percent: bool | None = None,
    tensors: Mapping[str, str] | None = None,
    max_problems: int = 100,
) -> Answer:
    """Parse the answer of an inference endpoint.

    Parameters
    ----------
    source
        Bytes, text, the path of a file, or Python objects that are decoded already. JSON Lines are read as one task a
        line.
    request
        What was sent (the body, its ``args``; text, path or objects), a list of them for several tasks: it says which
        images the answer speaks of, in order.
    images
        Names of the images in the order of the request, instead of it or over it: a list; a list of lists, one for
        each task; or a mapping of task id, batch row id or file name to names. `Images` give sizes too.
    sizes
        Heights and widths: a mapping of image name to (height, width), a list in the order of the images, or one pair
        for all. Masks are checked against them; relative coordinates need them.
    labels
        Names of labels that are integers: `Labels`, a list numbered from 0, or a mapping of integer to name. They
        come first among the dataset's labels.
    payload
        The service whose payload it is (see `SERVICES`); recognised by its shape if None.
    name
        What messages call the source; its path by default.
    lenient
        Mend what is nearly JSON (printed Python objects, typographic quotes, trailing commas) and read masks of 0 and
        255; the notes tell what was mended.
    class_masks
        Every key with a bitmask is the mask of the label of that name.
    clip
        Cut boxes to their image; else those that reach out of it are kept, and noted.
    prefer
        Which result is used where an image has both instances and a semantic mask.
    semantic_label
        Label of a semantic mask, which has none of its own; if `labels` holds one name only, that.
    boxes, relative, percent
        Order of box coordinates, whether they are relative to the image's size, whether scores are percentages:
        where a model does not keep its service's convention.
    tensors
        Which output tensor holds what, for services that speak of tensors.
    max_problems
        How many problems are listed; all are counted.

    Returns
    -------
    Answer
        Its `dataset` holds one image for each result, one annotation for each box or mask. Boxes become x, y, width,
        height; masks give boxes and areas where the answer has none.

    Raises
    ------
    InputError
        Where the answer is not what it should be: all problems, each with its JSON path.
    UsageError
        For options that do not fit together.

    Examples
    --------
    >>> result = '[{"boxes": [[1, 2, 31, 42]], "scores": [0.9], "labels": ["car"]}]'
    >>> answer = parse({"state": "SUCCESS", "result": result}, images=["a.jpg"])
    >>> answer.status, answer.dataset[0].box, answer.dataset[0].label
    ('finished', (1.0, 2.0, 30.0, 40.0), 'car')
    >>> parse({"state": "PENDING"}).status
    'pending'
    """
    options = Options(boxes, relative, percent, clip, class_masks, lenient, prefer, semantic_label, tensors)
    document, data, value = load(source, name)
    stem = Path(document).name.partition(".")[0] if data is not None and document != "answer" and name is None else None
    return parse_documents(
        [Document(document, data, value, stem or None)],
        options=options,
        request=request,
        images=images,
        sizes=sizes,
        labels=LabelNames(labels),
        payload=None if payload is None else service(payload),
        max_problems=max_problems,
    )


def parse_documents(
    documents: Sequence[Document],
    *,
    options: Options,
    request: Any = None,
    images: Any = None,
    sizes: Any = None,
    labels: LabelNames,
    payload: Service | None = None,
    max_problems: int = 100,
) -> Answer:
    """Parse documents as one answer; see `parse`."""
    notes, problems = Notes(), Problems(max_problems)
    reader = Reader(notes, options.class_masks, options.lenient)
    opened = _open_all(documents, reader, problems)
    for item in opened:
        _split(item, payload, options, problems)
    problems.check()
    tasks = [_task_results(item) for item in opened]
    named = name_images(tasks, images, request, sizes, problems, notes)
    problems.check()

    context = Context(options, reader, labels, problems, notes)
    results: list[ImageResult] = []
    for item in opened:
        for result in item.results or ():
            assert item.service is not None
            item.service.read(result, context)
            results.append(result)
    problems.check()
    annotations = context.table.annotations()
    problems.check()

    dataset = None
    if any(item.results is not None for item in opened):
        _tell_unfinished(opened, notes)
        dataset = Dataset(context.table.sized(named, results), labels.labels(), annotations, notes=notes.listed)
    services = dict.fromkeys(item.service.name for item in opened if item.service is not None)
    return Answer(tuple(map(_task, opened)), dataset, notes.listed, ", ".join(services) or None)


@dataclass(slots=True)
class _Opened:
    """A task on its way: the document it stands in, its envelope, and the results of its images once it has finished.

    `alone` says that the document holds no other task.
    """

    document: Document
    envelope: Envelope
    alone: bool
    service: Service | None = None
    results: list[ImageResult] | None = None


def _open_all(documents: Sequence[Document], reader: Reader, problems: Problems) -> list[_Opened]:
    opened: list[_Opened] = []
    for document in documents:
        try:
            envelopes = _envelopes(document, reader, problems.limit)
        except InputError as error:
            problems.extend(error)
            continue
        opened += [_Opened(document, envelope, len(envelopes) == 1) for envelope in envelopes]
    return opened


def _split(item: _Opened, payload: Service | None, options: Options, problems: Problems) -> None:
    """Find the service of a finished task, and the results of its images."""
    envelope = item.envelope
    if envelope.status != "finished":
        return
    try:
        item.service = payload or choose(envelope.tree, envelope.place)
        item.results = item.service.split(envelope.tree, envelope.place, options)
    except InputError as error:
        problems.extend(error)


def _tell_unfinished(opened: Sequence[_Opened], notes: Notes) -> None:
    left = [item for item in opened if item.results is None]
    if left:
        notes.warn(
            "tasks-unfinished",
            left[0].envelope.place,
            f"{len(left):,} of {len(opened):,} tasks without a result",
            "a result of each",
            "their images are not in the dataset",
        )


def _task_results(item: _Opened) -> TaskResults:
    document, envelope = item.document, item.envelope
    ids = [name for name in (envelope.row_id, envelope.task_id) if name]
    return TaskResults(
        envelope.place,
        item.results,
        names=(*ids, *(document.names if item.alone else ())),
        stem=document.stem if item.alone else None,
        row_id=envelope.row_id,
        request=_request(document, envelope, item.alone),
        single=isinstance(envelope.tree, dict),
    )


def _request(document: Document, envelope: Envelope, alone: bool) -> list[ImageName] | None:
    """Images of the request, as far as the documents say them."""
    if envelope.images is not None:
        return [ImageName(key) for key in envelope.images]
    return document.request if alone else None


def _task(item: _Opened) -> Task:
    envelope = item.envelope
    return Task(
        str(envelope.place),
        envelope.status,
        tuple(result.key or "" for result in item.results or ()),
        envelope.task_id,
        envelope.row_id,
        envelope.detail,
        envelope.traceback,
        envelope.status_code,
    )


# --- documents ---------------------------------------------------------------------------------------


def _envelopes(document: Document, reader: Reader, max_problems: int) -> list[Envelope]:
    place = Place(document.name)
    if document.data is None:
        return open_envelopes(reader.objects(document.value, place), place, reader)
    # Looking for the end of the first line reads a large text once more, so there it waits until the text is no JSON.
    wait = isinstance(document.data, mmap) and not reader.lenient and not _is_named_lines(document)
    lines = None if wait else _lines(document)
    if lines is None:
        try:
            return open_envelopes(reader.document(document.data, place), place, reader)
        except InputError:
            lines = _lines(document) if wait else None
            if lines is None:
                raise
    envelopes: list[Envelope] = []
    problems = Problems(max_problems)
    for number, line in lines:
        where = Place(f"{document.name}: line {number}")
        try:
            envelopes += open_envelopes(reader.document(line, where), where, reader)
        except InputError as error:
            problems.extend(error)
    problems.check()
    return envelopes


def _is_named_lines(document: Document) -> bool:
    return document.name.lower().endswith(_LINES)


def _lines(document: Document) -> list[tuple[int, bytes]] | None:
    """The lines of JSON Lines with their numbers, or None where the document is one JSON text."""
    data = document.data or b""
    if not _is_named_lines(document):
        # A line that ends an object, and after it one that begins an object: no JSON text is written so.
        end = data.find(b"\n")
        if end < 0 or data[max(0, end - 8) : end].rstrip()[-1:] != b"}" or data[end : end + 8].lstrip()[:1] != b"{":
            return None
    lines = [(number, line) for number, line in enumerate(bytes(data).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)]
    return [(number, line) for number, line in lines if line.strip()] or None
