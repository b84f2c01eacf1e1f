"""Recorded answers: a file for each task, read as one answer.

Which images a file speaks of is told, the first that is there taken:

1. ``images=`` (file name or stem to names, or a list of lists in the order of the files), or ``request=``;
2. ``NAME.request.json`` beside ``NAME.json``: the body that was sent;
3. ``manifest.json`` in the folder: ``{"answers": {"NAME.json": {"images": ["a.jpg"], "sizes": [[480, 640]]}}}``;
4. ``request.json`` in the folder: the body of every answer in it, such as those of several versions to one request;
5. the file's own name without suffix, if it holds the result of one image; a note says so.

Files of a folder are read in the order of their names: ``*.json``, ``*.jsonl``, ``*.ndjson``, hidden files left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rapideval.model import Labels
from rapideval.payloads.answer import Answer
from rapideval.payloads.options import LabelNames, Options
from rapideval.payloads.parsing import Document, parse_documents
from rapideval.payloads.places import Place, refuse, show
from rapideval.payloads.registry import service
from rapideval.payloads.request import ImageName, read_requests
from rapideval.payloads.text import Reader, load

__all__ = ["MANIFEST", "REQUEST", "REQUEST_SUFFIX", "answer_files", "read_answers"]

MANIFEST = "manifest.json"
REQUEST = "request.json"
REQUEST_SUFFIX = ".request.json"
_SUFFIXES = (".json", ".jsonl", ".ndjson")


def answer_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Files of recorded answers in a folder, in the order of their names; requests and the manifest are none."""
    return sorted(
        path
        for path in Path(folder).iterdir()
        if path.suffix.lower() in _SUFFIXES
        and not path.name.startswith(".")
        and not path.name.endswith(REQUEST_SUFFIX)
        and path.name not in (MANIFEST, REQUEST)
        and path.is_file()
    )


def read_answers(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    request: Any = None,
    images: Any = None,
    sizes: Any = None,
    labels: Labels | Sequence[str] | Mapping[Any, str] | None = None,
    payload: str | None = None,
    max_problems: int = 100,
    **options: Any,
) -> Answer:
    """Parse a folder of recorded answers, or a list of files, as one answer with a task for each.

    Parameters
    ----------
    source
        A folder, or files.
    request, images, sizes, labels, payload, max_problems
        As for `parse`; `images` may be a mapping of file name (with or without suffix) to names.
    **options
        The other options of `parse`: lenient, class_masks, clip, prefer, semantic_label, boxes, relative, percent,
        tensors.

    Raises
    ------
    InputError
        With the problems of all files; ``image-duplicate`` where two files answer the same image.
    """
    if isinstance(source, (str, os.PathLike)):
        folder = Path(source)
        if not folder.is_dir():
            refuse("file", str(folder), "no folder", "a folder of recorded answers")
        files = answer_files(folder)
        if not files:
            refuse("file", str(folder), "no answers", f"files named {', '.join('*' + suffix for suffix in _SUFFIXES)}")
    else:
        files = [Path(item) for item in source]
        if not files:
            refuse("file", "answers", "no files", "at least one")
    manifests: dict[Path, dict[str, list[ImageName]]] = {}
    documents = []
    for path in files:
        if path.parent not in manifests:
            manifests[path.parent] = _manifest(path.parent / MANIFEST)
        documents.append(_document(path, manifests[path.parent]))
    return parse_documents(
        documents,
        options=Options(**options),
        request=request,
        images=images,
        sizes=sizes,
        labels=LabelNames(labels),
        payload=None if payload is None else service(payload),
        max_problems=max_problems,
    )


def _document(path: Path, manifest: dict[str, list[ImageName]]) -> Document:
    stem = path.name.partition(".")[0] if path.name.count(".") == 1 else path.stem
    _, data, _ = load(path)
    asked = manifest.get(path.name) or manifest.get(stem)
    beside = path.with_name(path.stem + REQUEST_SUFFIX)
    if asked is None and not beside.is_file():
        beside = path.with_name(REQUEST)
    if beside.is_file():
        requests = read_requests(beside)
        if len(requests) != 1:
            refuse("request", str(beside), f"{len(requests):,} requests", f"one, that of {path.name}")
        asked = requests[0]
    return Document(str(path), data, None, stem, (path.name, stem, str(path)), asked)


def _manifest(path: Path) -> dict[str, list[ImageName]]:
    """Images of each answer that a manifest names."""
    if not path.is_file():
        return {}
    place = Place(str(path))
    tree = Reader().document(path.read_bytes(), place)
    answers = tree.get("answers") if isinstance(tree, dict) else None
    if not isinstance(answers, dict):
        refuse("manifest", place, show(tree), 'an object {"answers": {"NAME.json": {"images": [...]}}}')
    entries = {}
    for name, entry in answers.items():
        images = entry.get("images") if isinstance(entry, dict) else entry
        sizes = entry.get("sizes") if isinstance(entry, dict) else None
        where = place["answers"][name]
        if not isinstance(images, list) or not all(isinstance(image, str) and image for image in images):
            refuse("manifest", where, show(images), "a list of image names")
        if sizes is None:
            entries[name] = [ImageName(image) for image in images]
            continue
        whole = isinstance(sizes, list) and all(
            isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)
            for size in sizes
        )
        if not whole or len(sizes) != len(images):
            refuse("manifest", where["sizes"], show(sizes), f"{len(images):,} pairs [height, width]")
        entries[name] = [ImageName(image, (size[0], size[1])) for image, size in zip(images, sizes, strict=True)]
    return entries
