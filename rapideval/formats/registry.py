"""The formats: one module each, loaded when it is needed."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.capabilities import Capabilities, Loss, Losses, general_losses
from rapideval.formats.files import STREAM, Source, whole_file, whole_folder
from rapideval.model import Dataset, Images, Labels

if TYPE_CHECKING:
    from rapideval.formats.picture_files import Pictures

__all__ = ["FORMATS", "Format", "Guess", "by_suffix", "detect", "get", "losses", "read", "write"]


class Guess(NamedTuple):
    """That a source may be of a format.

    Attributes
    ----------
    certainty
        1: its content says so. Below: its content allows it.
    reason
        What in the content says so.
    """

    certainty: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format of the ecosystem.

    Attributes
    ----------
    name
        What users call it, as in ``--from coco``.
    title
        What it is, in a line.
    suffixes
        Of its files, in lower case.
    kind
        Whether a dataset is one file or a folder.
    sniff
        Says whether a source is of this format, and why; None where it is not.
    reader
        Source and options to Dataset.
    writer
        Dataset, stream (or, for a folder, its path) and options; None for a format that is only read.
    capabilities
        What it can hold.
    special_losses
        Losses that follow from the dataset or the options rather than from the capabilities.
    picture_paths
        Where the image files of a folder go, one path an image; ``images/`` and the image's name where not given.
    splits
        Names of the splits that one folder can hold, told apart by the images' further field ``split``.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    kind: Literal["file", "folder"] = "file"
    sniff: Callable[[Source], Guess | None]
    reader: Callable[..., Dataset] | None
    writer: Callable[..., None] | None
    capabilities: Capabilities
    special_losses: Callable[..., Iterable[Loss]] | None = None
    picture_paths: Callable[[Images], Sequence[str]] | None = None
    splits: tuple[str, ...] = ()

    @cached_property
    def read_options(self) -> tuple[str, ...]:
        """Names of the options that reading takes."""
        return _keyword_names(self.reader) if self.reader else ()

    @cached_property
    def write_options(self) -> tuple[str, ...]:
        """Names of the options that writing takes."""
        return _keyword_names(self.writer) if self.writer else ()


# name -> module that defines it as FORMAT or among FORMATS, and suffixes; the order is that of help texts
_KNOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "coco": ("rapideval.formats.coco", (".json",)),
    "coco-results": ("rapideval.formats.coco", (".json",)),
    "rle": ("rapideval.formats.rle", (".jsonl", ".ndjson")),
    "geojson": ("rapideval.formats.geojson", (".geojson", ".json")),
    "parquet": ("rapideval.formats.parquet", (".parquet",)),
    "yolo": ("rapideval.formats.training.yolo", (".yaml", ".yml", ".data")),
    "yolo-seg": ("rapideval.formats.training.yolo", (".yaml", ".yml", ".data")),
    "yolo-obb": ("rapideval.formats.training.yolo", (".yaml", ".yml", ".data")),
    "kitti": ("rapideval.formats.training.kitti", (".txt",)),
    "boxes-text": ("rapideval.formats.training.boxes_text", (".txt",)),
    "widerface": ("rapideval.formats.training.widerface", (".txt",)),
    "vott": ("rapideval.formats.tools.vott", (".json",)),
    "vott-csv": ("rapideval.formats.tools.vott", (".csv",)),
    "open-images": ("rapideval.formats.training.open_images", (".csv",)),
    "segment-anything": ("rapideval.formats.training.segment_anything", (".json",)),
    "coco-panoptic": ("rapideval.formats.training.panoptic", (".json",)),
    "class-masks": ("rapideval.formats.training.class_masks", (".png",)),
    "instance-masks": ("rapideval.formats.training.instance_masks", (".png",)),
    "voc-masks": ("rapideval.formats.training.voc_masks", (".png",)),
    "voc": ("rapideval.formats.training.voc", (".xml",)),
    "cvat": ("rapideval.formats.tools.cvat", (".xml",)),
    "label-studio": ("rapideval.formats.tools.label_studio", (".json",)),
    "labelme3": ("rapideval.formats.tools.labelme3", (".xml",)),
    "labelme": ("rapideval.formats.tools.labelme", (".json",)),
    "via": ("rapideval.formats.tools.via", (".json",)),
    "via-csv": ("rapideval.formats.tools.via", (".csv",)),
    "labelbox": ("rapideval.formats.tools.labelbox", (".ndjson", ".jsonl", ".json")),
    "darwin": ("rapideval.formats.tools.darwin", (".json",)),
    "supervisely": ("rapideval.formats.tools.supervisely", (".json",)),
    "qupath": ("rapideval.formats.tools.qupath", (".json", ".geojson")),
    "datumaro": ("rapideval.formats.tools.datumaro", (".json",)),
    "scale-nucleus": ("rapideval.formats.tools.scale", (".json", ".jsonl")),
    "scale-tasks": ("rapideval.formats.tools.scale", (".json", ".jsonl")),
    "createml": ("rapideval.formats.tools.createml", (".json",)),
}

FORMATS: tuple[str, ...] = tuple(_KNOWN)
"""Names of all formats."""


def get(name: str) -> Format:
    """Find a format by its name; UsageError with the nearest names where there is none."""
    if name not in _KNOWN:
        from difflib import get_close_matches

        near = get_close_matches(name, _KNOWN, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(FORMATS)}"
        raise UsageError(f"no format {name!r}: {hint}")
    formats: dict[str, Format] = import_module(_KNOWN[name][0]).FORMATS
    return formats[name]


def detect(source: Any) -> tuple[Format, str]:
    """Which format a source has, by its content, and why.

    Raises
    ------
    FormatError
        ``format-unknown`` where it is none of them, ``format-ambiguous`` where it may be several.

    Examples
    --------
    >>> format, reason = detect(b'[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.5}]')
    >>> format.name, reason
    ('coco-results', 'a JSON array of objects with image_id, category_id, bbox')
    """
    source = source if isinstance(source, Source) else Source(source)
    names = [name for name, (_, suffixes) in _KNOWN.items() if not source.suffix or source.suffix in suffixes]
    guesses = _guesses(source, names) or _guesses(source, [name for name in _KNOWN if name not in names])
    if not guesses:
        raise FormatError(
            Problem(
                "format-unknown",
                source.name,
                "a folder" if source.is_folder else _excerpt(source.head(60)),
                f"one of the formats {', '.join(FORMATS)}",
                "name the format with format= (--from)",
            )
        )
    guesses.sort(key=lambda pair: -pair[1].certainty)
    best = [pair for pair in guesses if pair[1].certainty == guesses[0][1].certainty]
    if len(best) > 1:
        found = "; ".join(f"{known.name}: {guess.reason}" for known, guess in best)
        raise FormatError(
            Problem("format-ambiguous", source.name, found, "one of them", "name the format with format= (--from)")
        )
    return best[0][0], best[0][1].reason


def _guesses(source: Source, names: Iterable[str]) -> list[tuple[Format, Guess]]:
    formats = [get(name) for name in names]
    return [(known, guess) for known in formats for guess in [known.sniff(source)] if guess is not None]


def _excerpt(head: bytes) -> str:
    return repr(head.decode("utf-8", "replace")) if head else "an empty file"


def read(
    source: Any,
    format: str | None = None,  # noqa: A002
    *,
    images: Images | Dataset | Iterable[str] | None = None,
    labels: Labels | Dataset | Iterable[str] | None = None,
    **options: Any,
) -> Dataset:
    """Read a dataset from a file of the ecosystem.

    Parameters
    ----------
    source
        Path, ``"-"`` for the standard input, an open binary file, or bytes. ``.gz`` and ``.zst`` are decompressed.
    format
        Name of the format; found from the content where not given.
    images, labels
        What the numbers of the source refer to, where it does not say it itself (COCO results: those of the ground
        truth). A dataset gives its own.
    **options
        Those of the format.

    Returns
    -------
    Dataset
        Its ``notes`` say what was mended, derived or skipped.

    Raises
    ------
    FormatError, InputError
        With where, what was found and what was expected, of all problems up to a limit.
    UsageError
        For an unknown format or option.

    Examples
    --------
    >>> read(b'[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.5}]')
    Dataset(1 image, 1 label, 1 prediction)
    """
    source = source if isinstance(source, Source) else Source(source)
    chosen = get(format) if format else detect(source)[0]
    if chosen.reader is None:
        raise UsageError(f"{chosen.name} is only written, not read")
    _check_options(chosen, "read", options, chosen.read_options)
    if isinstance(images, Dataset):
        images = images.images
    if isinstance(labels, Dataset):
        labels = labels.labels
    return chosen.reader(
        source,
        images=images if images is None or isinstance(images, Images) else Images(images),
        labels=labels if labels is None or isinstance(labels, Labels) else Labels(labels),
        **options,
    )


def losses(dataset: Dataset, format: str, **options: Any) -> Losses:  # noqa: A002
    """What a format cannot hold of a dataset, counted by kind, before anything is written.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> data = Dataset(Images(["a.jpg", "b.jpg"]), Labels(["cat"]), Annotations([0], [0], [[0, 0, 1, 1]], [0.5]))
    >>> losses(data, "coco"), losses(data, "coco-results").counts()
    (Losses({}), {'empty_images': 1, 'image_names': 2, 'label_names': 1})
    """
    chosen = get(format)
    _check_options(chosen, "write", options, chosen.write_options)
    return _losses(dataset, chosen, options)


def _losses(dataset: Dataset, chosen: Format, options: dict[str, Any]) -> Losses:
    special = [] if chosen.special_losses is None else list(chosen.special_losses(dataset, **options))
    told = {item.kind for item in special}  # a format knows better than its capabilities what becomes of a thing
    return Losses([item for item in general_losses(dataset, chosen.capabilities) if item.kind not in told] + special)


def write(
    dataset: Dataset,
    target: str | os.PathLike[str] | BinaryIO,
    format: str | None = None,  # noqa: A002
    *,
    pictures: Pictures | None = None,
    **options: Any,
) -> Losses:
    """Write a dataset as a file of the ecosystem, whole or not at all.

    Parameters
    ----------
    dataset
        What to write.
    target
        Path, ``"-"`` for the standard output, or an open binary file. ``.gz`` and ``.zst`` are compressed.
    format
        Name of the format; found from the target's suffix where only one has it.
    pictures
        Image files to copy or link into the folder, where the format is one.
    **options
        Those of the format.

    Returns
    -------
    Losses
        What the format could not hold: see `losses`, which tells it before.
    """
    chosen = get(format) if format else by_suffix(target)
    if chosen.writer is None:
        raise UsageError(f"{chosen.name} is only read, not written")
    _check_options(chosen, "write", options, chosen.write_options)
    lost = _losses(dataset, chosen, options)
    if pictures is not None:
        check_holds_pictures(chosen)
        lost = pictures.losses(lost, dataset.images)
    if chosen.kind == "folder":
        if not isinstance(target, str | os.PathLike) or os.fspath(target) == STREAM:
            raise UsageError(f"{chosen.name} is a folder of files: it is written to a path, not to a stream")
        with whole_folder(target) as folder:
            chosen.writer(dataset, folder, **options)
            if pictures is not None:
                from rapideval.formats.picture_files import picture_paths

                pictures.lay(folder, dataset.images, (chosen.picture_paths or picture_paths)(dataset.images))
    else:
        with whole_file(target) as stream:
            chosen.writer(dataset, stream, **options)
    return lost


def check_holds_pictures(chosen: Format) -> None:
    """Refuse a format that is one file: there is no folder for image files."""
    if chosen.kind != "folder":
        folders = [name for name in FORMATS if get(name).kind == "folder" and get(name).writer]
        there = f"those of {', '.join(folders)} are" if folders else "none is"
        raise UsageError(f"{chosen.name} is one file, and image files go into a folder: {there} written as folders")


def by_suffix(target: str | os.PathLike[str] | BinaryIO) -> Format:
    """Find the format of what is to be written; UsageError where its suffix does not tell."""
    suffix = Source(target).suffix if isinstance(target, str | os.PathLike) else ""
    fitting = [name for name, (_, suffixes) in _KNOWN.items() if suffix and suffix in suffixes]
    # A format whose own suffix it is stands before those that have it too.
    own = [name for name in fitting if _KNOWN[name][1][0] == suffix]
    fitting = [name for name in own or fitting if get(name).writer is not None]
    if len(fitting) != 1:
        which = f"{suffix} may be {', '.join(fitting)}" if fitting else f"no format has the suffix {suffix!r}"
        raise UsageError(f"which format? {which}: name it with format= (--to)")
    return get(fitting[0])


def _check_options(chosen: Format, verb: str, options: Iterable[str], known: tuple[str, ...]) -> None:
    unknown = sorted(set(options) - set(known))
    if unknown:
        there = f"there are {', '.join(known)}" if known else "there are none"
        raise UsageError(f"{chosen.name} has no option {unknown[0]!r} to {verb}: {there}")


def _keyword_names(function: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in ("images", "labels"))
