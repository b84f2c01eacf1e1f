r"""RLE: masks as JSON lines, one mask a line, in COCO's run lengths.

The first line is the header, each further line an annotation::

    {"schema":"rapideval-rle","version":1,"labels":[{"name":"cat"}],"images":[{"name":"a.jpg","size":[480,640]}]}
    {"image":"a.jpg","label":"cat","score":0.9,"size":[480,640],"counts":"PPYo01O..."}

``size`` is height and width; ``counts`` are the run lengths column by column, beginning with background, as COCO's
compressed string or as a list of numbers, so that ``{"size": ..., "counts": ...}`` is what pycocotools takes. ``box``
(x, y, width, height), ``area``, ``crowd``, ``id`` and ``extras`` (further fields) stand where the source gave them; a
line without ``counts`` is a box alone. Images and labels that no line names are told by the header, which may leave
both out: then they are those of the lines. Lines can be written and read one by one.
"""

from __future__ import annotations

from rapideval.formats.capabilities import Capabilities
from rapideval.formats.files import Source, Writable
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]


def _sniff(source: Source) -> Guess | None:
    if source.is_folder:
        return None
    line = source.head(400).removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    if line.lstrip().startswith(b"{") and b'"rapideval-rle"' in line:
        return Guess(1, "a first line with the schema rapideval-rle")
    return None


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read masks; images and labels given stand before those of the document."""
    from rapideval.formats import rle_read

    return rle_read.read(source, images, labels)


def _write(dataset: Dataset, stream: Writable, *, rle: str = "compressed") -> None:
    """Write masks; `rle` is ``"compressed"`` (strings) or ``"counts"`` (lists of numbers)."""
    from rapideval.formats import rle_write

    rle_write.write(dataset, stream, rle)


FORMATS = {
    "rle": Format(
        name="rle",
        title="RLE: masks as JSON lines with COCO run lengths",
        suffixes=(".jsonl", ".ndjson"),
        sniff=_sniff,
        reader=_read,
        writer=_write,
        capabilities=Capabilities.all_but(
            "polygons",
            convention="pixels, origin at the top-left corner of the top-left pixel, runs column by column",
            specification="rapideval.formats.rle, schemas/rle-line.json",
        ),
    )
}
