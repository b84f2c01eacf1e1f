"""RLE lines into a Dataset."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from rapideval import _core
from rapideval.errors import FormatError, InputError, Problem
from rapideval.formats.files import Source
from rapideval.formats.header import extras_from, images_from, labels_from
from rapideval.formats.notes import Report
from rapideval.formats.rle_lines import SCHEMA, VERSION, Header, MaskLine
from rapideval.model import Annotations, Dataset, Images, Labels, Masks
from rapideval.model import Source as Origin
from rapideval.model.columns import offsets_of

__all__ = ["read"]


class Lines(NamedTuple):
    """Annotations, and the number of the line of each."""

    rows: list[MaskLine]
    numbers: npt.NDArray[np.int64]


def read(source: Source, images: Images | None, labels: Labels | None) -> Dataset:
    """Read the header and the lines; see `rapideval.formats.rle`."""
    report = Report(source.name)
    header, lines = _decoded(source.data(), report)
    report.close()
    images, image = images_from(
        None if header.images is UNSET else header.images,
        [line.image for line in lines.rows],
        images,
        lambda row: f"line {lines.numbers[row]}",
        report,
    )
    entries = [] if header.labels is UNSET else header.labels
    labels, label = labels_from(entries, [line.label for line in lines.rows], labels)
    annotations = _annotations(header, lines, image, label, report)
    info = {} if header.info is UNSET else header.info
    try:
        return Dataset(images, labels, annotations, info, report.notes)
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


def _decoded(data: bytes, report: Report) -> tuple[Header, Lines]:
    header: Header | None = None
    decoder = msgspec.json.Decoder(MaskLine)
    rows, numbers = [], []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line or line.isspace():
            continue
        try:
            if header is None:
                header = _header(line, report)
            else:
                rows.append(decoder.decode(line))
                numbers.append(number)
        except msgspec.MsgspecError as error:
            _refuse_line(error, number, report)
        except UnicodeDecodeError:
            report.refuse("json-utf8", f"line {number}", "bytes that are not UTF-8", "UTF-8")
    if header is None:
        problem = Problem("rle-header", report.name, "an empty file", f"a first line with the schema {SCHEMA}")
        raise FormatError(problem)
    return header, Lines(rows, np.array(numbers, np.int64))


def _header(line: bytes, report: Report) -> Header:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    schema = found.get("schema") if isinstance(found, dict) else None
    version = found.get("version") if isinstance(found, dict) else None
    if schema != SCHEMA or version != VERSION:
        shown = repr(line[:60].decode("utf-8", "replace"))
        if isinstance(found, dict):
            shown = f"schema {schema!r}, version {version!r}"
        problem = Problem("rle-header", f"{report.name}: line 1", shown, f"schema {SCHEMA!r}, version {VERSION}")
        raise FormatError(problem)
    return msgspec.json.decode(line, type=Header)


def _refuse_line(error: msgspec.MsgspecError, number: int, report: Report) -> None:
    """Turn ``Expected `int`, got `str` - at `$.score``` into where, found and expected."""
    text, _, path = str(error).partition(" - at ")
    where = f"line {number}" + (f": {path.strip('`')}" if path else "")
    match = re.match(r"Expected (.*?)(?:, got (.*))?$", text)
    if match:
        report.refuse("rle-line", where, (match[2] or "another value").replace("`", ""), match[1].replace("`", ""))
    else:
        report.refuse("rle-line", where, text.replace("`", ""), "an annotation as JSON")


# --- annotations -------------------------------------------------------------------------------------


def _annotations(
    header: Header, lines: Lines, image: npt.NDArray[np.int32], label: npt.NDArray[np.int32], report: Report
) -> Annotations:
    rows = lines.rows
    if not rows:
        return Annotations.empty(scored=header.scored is True)
    masks = _masks(lines, report)
    score, area = (_numbers(lines, name, report) for name in ("score", "area"))
    box = _boxes(lines, masks, report)
    report.close()
    ids = [line.id for line in rows if line.id is not UNSET]
    if 0 < len(ids) < len(rows):
        report.note(
            "id-missing", "some lines without id: no id is kept", severity="warning", count=len(rows) - len(ids)
        )
    crowd = [line.crowd is True for line in rows]
    return Annotations(
        image,
        label,
        box,
        score,
        area,
        crowd if any(line.crowd is not UNSET for line in rows) else None,
        masks,
        None,
        ids if len(ids) == len(rows) else None,
        Origin([f"{report.name}: line {{row}}"], lines.numbers),
        extras_from([line.extras for line in rows]),
        set() if len(ids) == len(rows) else {"ids"},
    )


def _numbers(lines: Lines, name: str, report: Report) -> npt.NDArray[np.float64] | None:
    """Numbers that all lines have, or none."""
    values = [getattr(line, name) for line in lines.rows]
    missing = [row for row, value in enumerate(values) if value is UNSET]
    if len(missing) == len(values):
        return None
    for row in missing:
        report.refuse(f"{name}-missing", f"line {lines.numbers[row]}", f"no {name}", f"{name}, as other lines have")
    return None if missing else np.array(values, np.float64)


def _boxes(lines: Lines, masks: Masks | None, report: Report) -> npt.NDArray[np.float64] | None:
    """Boxes of the lines, of their masks where they have none; None where no line has one."""
    given = [line.box for line in lines.rows]
    have = np.zeros(len(given), np.bool_) if masks is None else masks.present
    made = np.zeros((len(given), 4)) if masks is None else masks.boxes
    for row, box in enumerate(given):
        if box is not UNSET:
            made[row] = box
        elif not have[row]:
            report.refuse("box-missing", f"line {lines.numbers[row]}", "neither counts nor box", "at least one of them")
    return None if all(box is UNSET for box in given) else made


def _masks(lines: Lines, report: Report) -> Masks | None:
    """Masks of the lines, in both forms of run lengths."""
    parts: list[Masks] = []
    order: list[int] = []
    for kind in (str, list):
        chosen = [row for row, line in enumerate(lines.rows) if isinstance(line.counts, kind)]
        for row in chosen:
            if lines.rows[row].size is UNSET:
                report.refuse("rle-size", f"line {lines.numbers[row]}", "counts without size", "height and width")
        report.close()
        if chosen:
            parts.append(_decoded_masks(lines, chosen, kind, report))
            order += chosen
    report.close()
    if not parts:
        return None
    rows = np.array(order)
    by_line = Masks.concat(parts).take(np.argsort(rows))
    return by_line.spread(np.sort(rows), len(lines.rows))


def _decoded_masks(lines: Lines, chosen: list[int], kind: type, report: Report) -> Masks:
    counts: list[Any] = [lines.rows[row].counts for row in chosen]
    sizes = np.array([lines.rows[row].size for row in chosen], np.uint32).reshape(-1, 2)
    try:
        if kind is str:
            texts = [text.encode() for text in counts]
            offsets = offsets_of([len(text) for text in texts])
            runs, offsets = _core.rle_from_strings(np.frombuffer(b"".join(texts), np.uint8), offsets, sizes)
        else:
            runs = np.fromiter((run for row in counts for run in row), np.uint32)
            offsets = offsets_of([len(row) for row in counts])
            _core.rle_check(runs, offsets, sizes)
    except _core.CoreError as error:
        where = "" if error.row is None else f"line {lines.numbers[chosen[error.row]]}: $.counts"
        report.refuse(error.rule, where, error.found, error.expected, error.hint)
        report.close()
        raise
    return Masks(runs, offsets, sizes, checked=True)
