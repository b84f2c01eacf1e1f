"""What the verbs print with ``--json``, as types; JSON Schemas are made from these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from rapideval.errors import InputError, Problem
from rapideval.formats import Loss

if TYPE_CHECKING:
    from rapideval.cli.sources import Opened
    from rapideval.cli.writing import Delivery, Part, Writing
    from rapideval.model import Dataset

__all__ = [
    "Amounts",
    "CheckedFile",
    "Conversion",
    "Demonstration",
    "DroppedLabel",
    "FailedImage",
    "FormatInfo",
    "Formats",
    "ImageFiles",
    "MergedSource",
    "Merging",
    "Prediction",
    "Refusal",
    "Relabelling",
    "RenamedLabel",
    "Selection",
    "ServiceInfo",
    "Serving",
    "SplitPart",
    "Splitting",
    "Validation",
    "Version",
    "Written",
    "print_refusal",
]


class Demonstration(msgspec.Struct):
    """What the demo made, and the scores it found (``rapideval demo --json``)."""

    folder: str
    answers: Literal["endpoint", "recorded"]
    """Whether a local endpoint was asked, or the answers are those that were recorded."""
    exports: list[str]
    pictures: list[str]
    report: str | None
    """The page of the verdict; null without the extra that draws its charts."""
    scores: dict[str, dict[str, dict[str, float | None]]]
    """By version, task and name of the number."""
    verdict: str
    """Of the gate: ``pass``, ``fail`` or ``inconclusive``."""


class Version(msgspec.Struct):
    """The version, and what it runs on (``rapideval version --json``)."""

    rapideval: str
    python: str
    numpy: str
    platform: str
    processors: int

    @classmethod
    def of_this_machine(cls) -> Version:
        """What runs here."""
        import os
        import platform

        import numpy as np

        import rapideval

        return cls(
            rapideval.__version__,
            platform.python_version(),
            np.__version__,
            platform.platform(),
            os.cpu_count() or 1,
        )


class Amounts(msgspec.Struct):
    """How much a dataset holds."""

    images: int
    labels: int
    annotations: int

    @classmethod
    def of(cls, dataset: Dataset) -> Amounts:
        """Of a dataset."""
        return cls(len(dataset.images), len(dataset.labels), len(dataset))


class ImageFiles(msgspec.Struct):
    """What became of the image files beside a dataset."""

    how: Literal["copy", "link"]
    copied: int
    linked: int
    symbolic: int
    """Linked symbolically, where a hard link could not be made."""
    missing: list[str]
    """Images whose files were not found."""


class Written(msgspec.Struct, kw_only=True):
    """A dataset that was written, and what its target cannot hold."""

    target: str
    target_format: str
    counts: Amounts
    """Of what is written."""
    losses: list[Loss]
    """What the target cannot hold, by kind; empty where nothing is lost."""
    notes: list[Problem]
    """What was mended, derived or skipped on the way."""
    written: bool
    """False where something would be lost and that was not allowed."""
    image_files: ImageFiles | None = None
    """What became of the image files; null where they were left."""

    @classmethod
    def of_part(cls, part: Part, writing: Writing, written: bool, **further: Any) -> Self:
        """Of a part of what a verb writes."""
        return cls(
            target=part.target,
            target_format=writing.format.name,
            counts=Amounts.of(part.dataset),
            losses=list(part.losses),
            notes=list(part.dataset.notes),
            written=written,
            image_files=part.image_files(),
            **further,
        )


class Conversion(Written, kw_only=True):
    """What a conversion found, and what its target cannot hold (``rapideval convert --json``, ``--report``)."""

    source: str
    source_format: str

    @classmethod
    def of(cls, opened: Opened, delivery: Delivery, writing: Writing, **further: Any) -> Self:
        """Of what was read, and what became of it."""
        source = {"source": opened.name, "source_format": opened.loaded.source.name}
        return cls.of_part(delivery.parts[0], writing, delivery.written, **source, **further)


class Selection(Conversion, kw_only=True):
    """What was chosen of a dataset (``rapideval filter --json``, ``rapideval sample --json``)."""

    found: Amounts
    """Of the source."""


class RenamedLabel(msgspec.Struct):
    """A label that is written, and what it was."""

    name: str
    names_before: list[str]
    annotations: int


class DroppedLabel(msgspec.Struct):
    """A label that is not written, nor its annotations."""

    name: str
    annotations: int


class Relabelling(Conversion, kw_only=True):
    """What became of the labels of a dataset (``rapideval relabel --json``)."""

    found: Amounts
    """Of the source."""
    labels: list[RenamedLabel]
    dropped: list[DroppedLabel]


class MergedSource(msgspec.Struct):
    """One of the sources of a merged dataset."""

    source: str
    source_format: str
    counts: Amounts


class Merging(Written, kw_only=True):
    """Several datasets as one (``rapideval merge --json``)."""

    sources: list[MergedSource]

    @classmethod
    def of(cls, opened: Sequence[Opened], delivery: Delivery, writing: Writing) -> Self:
        """Of what was read, and what became of it."""
        sources = [MergedSource(one.name, one.loaded.source.name, Amounts.of(one.dataset)) for one in opened]
        return cls.of_part(delivery.parts[0], writing, delivery.written, sources=sources)


class SplitPart(Written, kw_only=True):
    """One part of a dataset."""

    name: str
    share: float
    """That was asked for, of the images."""
    missing_labels: list[str]
    """Labels that have annotations in the source, and none in this part."""


class Splitting(msgspec.Struct, kw_only=True):
    """A dataset in parts (``rapideval split --json``)."""

    source: str
    source_format: str
    found: Amounts
    """Of the source."""
    seed: int
    groups: int | None
    """Groups of images that stay together; null where each image stands for itself."""
    parts: list[SplitPart]
    """Of one folder that holds them all the parts name the same target, and losses and image files of the whole."""
    written: bool
    """False where something would be lost and that was not allowed."""


class CheckedFile(msgspec.Struct, kw_only=True):
    """What was found in one file or folder."""

    source: str
    format: str | None
    """Name of the format, or of the service; null where it could not be read."""
    errors: int
    warnings: int
    problems: list[Problem]
    """Errors first, then warnings and notes, as far as they are listed."""
    problem_count: int
    """All of them."""

    @classmethod
    def of(cls, source: str, format: str | None, problems: Sequence[Problem], total: int = 0) -> CheckedFile:  # noqa: A002
        """Of the problems of one file; `total` where not all are listed."""
        listed = sum(problem.count for problem in problems)
        by_severity = Counter[str]()
        for problem in problems:
            by_severity[problem.severity] += problem.count
        # Only errors are ever cut from a list.
        return cls(
            source=source,
            format=format,
            errors=by_severity["error"] + max(total - listed, 0),
            warnings=by_severity["warning"],
            problems=sorted(problems, key=lambda problem: ("error", "warning", "info").index(problem.severity)),
            problem_count=max(total, listed),
        )


class Validation(msgspec.Struct):
    """What checking files found (``rapideval validate --json``)."""

    valid: bool
    """No errors; where asked for, no warnings either. The exit code says the same."""
    files: list[CheckedFile]

    @classmethod
    def of(cls, files: list[CheckedFile], strict: bool) -> Validation:
        """Of the files, with warnings counted as errors or not."""
        return cls(not any(file.errors or (strict and file.warnings) for file in files), files)


class FormatInfo(msgspec.Struct, kw_only=True):
    """One format."""

    name: str
    title: str
    kind: Literal["file", "folder"]
    suffixes: list[str]
    reads: bool
    writes: bool
    read_options: list[str]
    write_options: list[str]
    splits: list[str]
    """Splits that one folder can hold."""
    holds: dict[str, bool]
    """What it can hold."""
    convention: str
    """How coordinates are meant."""
    specification: str
    """Where it is defined."""

    @classmethod
    def of(cls, name: str) -> FormatInfo:
        """Of a format by its name."""
        from rapideval.formats import get

        known = get(name)
        return cls(
            name=name,
            title=known.title,
            kind=known.kind,
            suffixes=list(known.suffixes),
            reads=known.reader is not None,
            writes=known.writer is not None,
            read_options=list(known.read_options),
            write_options=list(known.write_options),
            splits=list(known.splits),
            holds=known.capabilities.held(),
            convention=known.capabilities.convention,
            specification=known.capabilities.specification,
        )


class ServiceInfo(msgspec.Struct):
    """A service whose answers are read."""

    name: str
    title: str


class Formats(msgspec.Struct):
    """What is read and written (``rapideval formats --json``)."""

    formats: list[FormatInfo]
    services: list[ServiceInfo]

    @classmethod
    def known(cls) -> Formats:
        """All of them."""
        from rapideval.formats import FORMATS
        from rapideval.payloads import SERVICES

        services = [ServiceInfo(service.name, service.title) for service in SERVICES.values()]
        return cls([FormatInfo.of(name) for name in FORMATS], services)


class FailedImage(msgspec.Struct):
    """An image without an answer, and why."""

    image: str
    state: str
    reason: str
    task_id: str | None


class Prediction(msgspec.Struct):
    """What came of a run (``rapideval predict --json``)."""

    answers: str
    images: int
    answered: int
    tasks: int
    uncertain: int
    """Tasks that may have been sent twice: the answer to the first submission was lost."""
    failed: list[FailedImage]


class Serving(msgspec.Struct):
    """Where a local server listens (``rapideval serve --json``)."""

    url: str
    base_url: str
    """What clients of the first protocol take as the server's address."""
    key_file: str | None
    endpoints: list[str]


class Refusal(msgspec.Struct):
    """Why an input was refused (any command with ``--json``, exit code 2)."""

    problems: list[Problem]
    problem_count: int

    @classmethod
    def of(cls, error: InputError) -> Refusal:
        """The problems of an error."""
        return cls(list(error.problems), error.total)


def print_refusal(error: InputError) -> None:
    """Print the problems of an error as a document."""
    from rapideval.cli.output import print_json

    print_json(Refusal.of(error))
