"""Annotations gathered one by one from documents that are read object by object, made columns at the end.

For formats whose files are many and small, or deeply nested. A format that comes as a million like rows reads them
into columns at once instead (`rapideval.formats.coco_columns`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, InputError, Problem
from rapideval.formats.notes import Place, Report
from rapideval.model import Annotations, Dataset, Extras, Images, Labels, Masks, Polygons, Source

__all__ = ["Gathered"]


@dataclass(slots=True)
class _Row:
    image: int
    label: int
    place: Place
    box: Sequence[float] | None
    rings: Sequence[npt.ArrayLike]
    holes: Sequence[bool] | None
    mask: Masks | None
    score: float | None
    area: float | None
    crowd: bool | None
    id: int | None
    extras: Mapping[str, Any] | None


class Gathered:
    """Images, labels and annotations as they are met.

    Parameters
    ----------
    report
        Where problems go. `dataset` raises what was refused.
    images, labels
        Those that were given; they stand before the document's, in their order and with their numbers.

    Examples
    --------
    >>> found = Gathered(Report("a.xml"))
    >>> place = found.image("a.jpg", (480, 640))
    >>> found.add(place, found.label("cat"), box=(1, 2, 3, 4), at=Place("a.xml", "object {row}", 1))
    >>> found.dataset()
    Dataset(1 image, 1 label, 1 annotation)
    """

    def __init__(self, report: Report, images: Images | None = None, labels: Labels | None = None) -> None:
        self.report = report
        self._images, self._labels = images, labels
        known = [] if images is None else list(images)
        self._image_places: dict[str, int] = {image.key: image.index for image in reversed(known)}
        self._names = [image.key for image in known]
        self._sizes = [(image.height or 0, image.width or 0) for image in known]
        self._image_ids: list[int | None] = [image.id for image in known]
        self._image_extras: list[Mapping[str, Any] | None] = [
            None if images is None or images.extras is None else images.extras[place] for place in range(len(known))
        ]
        self._label_names: list[str] = [] if labels is None else list(labels.names)
        self._label_places = {name: place for place, name in enumerate(self._label_names)}
        self._label_ids: list[int | None] = [None if labels is None else label.id for label in labels or ()]
        self._supers: list[str | None] = [label.supercategory for label in labels or ()]
        self._label_extras: list[Mapping[str, Any] | None] = [
            None if labels is None or labels.extras is None else labels.extras[place]
            for place in range(len(self._label_names))
        ]
        self._rows: list[_Row] = []

    # --- images and labels -------------------------------------------------------------------------

    def image(
        self,
        name: str,
        size: tuple[int, int] | None = None,
        *,
        id: int | None = None,  # noqa: A002
        extras: Mapping[str, Any] | None = None,
    ) -> int:
        """Place of an image, which is made where its name is new.

        Parameters
        ----------
        name
            As the document gives it. An image that was given is found by this name, else by its last part.
        size
            Height and width in pixels. Where another is known already, that is refused.
        id, extras
            Its number and further fields in the document.
        """
        place = self._image_places.get(name)
        if place is None and self._images is not None:
            place = self._by_last_part(name)
        if place is None:
            place = len(self._names)
            self._names.append(name)
            self._sizes.append((0, 0))
            self._image_ids.append(None)
            self._image_extras.append(None)
        self._image_places.setdefault(name, place)
        if size is not None:
            self.size(place, size, name)
        if id is not None:
            self._image_ids[place] = id
        if extras:
            self._image_extras[place] = extras
        return place

    def size(self, place: int, size: tuple[int, int], where: str = "") -> None:
        """Tell height and width of an image; another size than the one that is known is refused."""
        known = self._sizes[place]
        if known == (0, 0):
            self._sizes[place] = size
        elif known != tuple(size):
            height, width = known
            self.report.refuse(
                "image-size", where or self._names[place], f"height {size[0]}, width {size[1]}",
                f"height {height}, width {width}, as the image has elsewhere",
            )  # fmt: skip

    def size_of(self, place: int) -> tuple[int, int] | None:
        """Height and width of an image, None where they are not known."""
        height, width = self._sizes[place]
        return (height, width) if height and width else None

    def _by_last_part(self, name: str) -> int | None:
        last = name.replace("\\", "/").rsplit("/", 1)[-1]
        same = [place for known, place in self._image_places.items() if known.rsplit("/", 1)[-1] == last]
        return same[0] if len(set(same)) == 1 else None

    def label(
        self,
        name: str,
        *,
        id: int | None = None,  # noqa: A002
        supercategory: str | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> int:
        """Place of a label, which is made where its name is new."""
        place = self._label_places.get(name)
        if place is None:
            place = self._label_places[name] = len(self._label_names)
            self._label_names.append(name)
            self._label_ids.append(None)
            self._supers.append(None)
            self._label_extras.append(None)
        if id is not None and self._label_ids[place] is None:
            self._label_ids[place] = id
        if supercategory is not None:
            self._supers[place] = supercategory
        if extras:
            self._label_extras[place] = extras
        return place

    # --- annotations -------------------------------------------------------------------------------

    def add(
        self,
        image: int,
        label: int,
        *,
        box: Sequence[float] | None = None,
        rings: Sequence[npt.ArrayLike] = (),
        holes: Sequence[bool] | None = None,
        mask: Masks | None = None,
        score: float | None = None,
        area: float | None = None,
        crowd: bool | None = None,
        id: int | None = None,  # noqa: A002
        extras: Mapping[str, Any] | None = None,
        at: Place,
    ) -> None:
        """Keep one annotation.

        Parameters
        ----------
        image, label
            Their places, as `image` and `label` gave them.
        box
            x, y, width, height in pixels; that of the mask or the rings where not given.
        rings, holes
            Rings (n, 2) in pixels, and which of them are holes of those before; none are where not given.
        mask
            One row; as large as its image.
        score, area, crowd, id, extras
            What the document says of it.
        at
            Its place.
        """
        if box is None and mask is None and not len(rings):
            self._refuse(at, "box-missing", "neither box nor outline nor mask", "at least one of them")
            return
        self._rows.append(_Row(image, label, at, box, rings, holes, mask, score, area, crowd, id, extras))

    def _refuse(self, at: Place, rule: str, found: str, expected: str, count: int = 1) -> None:
        where = at.template.replace("{row}", str(at.row))
        self.report.within(at.document).refuse(rule, where, found, expected, count=count)

    def __len__(self) -> int:
        return len(self._rows)

    # --- columns -----------------------------------------------------------------------------------

    def dataset(
        self, info: Mapping[str, Any] | None = None, scored: bool | None = None, rows: Annotations | None = None
    ) -> Dataset:
        """All of it, or the error that says all that was refused.

        Parameters
        ----------
        info
            Metadata of the document.
        scored
            Whether an empty document has scores; a document with annotations tells by them.
        rows
            The annotations, where they were read as columns, and none was added here.
        """
        self.report.close()
        try:
            images = Images(
                self._names, self._all_or_none(self._image_ids, "image"), self._sizes or None,
                self._extras(self._image_extras),
            )  # fmt: skip
            labels = Labels(
                self._label_names, self._all_or_none(self._label_ids, "label"),
                self._supers if any(name is not None for name in self._supers) else None,
                self._extras(self._label_extras),
            )  # fmt: skip
            annotations = self._annotations(scored) if rows is None else rows
            self.report.close()
            return Dataset(images, labels, annotations, info, self.report.notes)
        except FormatError:
            raise
        except InputError as error:
            raise FormatError([self._placed(problem) for problem in error.problems], error.total) from None

    def _placed(self, problem: Problem) -> Problem:
        """A problem of a column, with the place of its row in the document."""
        column = re.match(r"(?:box|score|area|masks|polygons)\[(\d+)\]", problem.where)
        where = str(self._rows[int(column[1])].place) if column and self._rows else problem.where
        name = self.report.name
        if not column and not where.startswith(name):
            where = f"{name}: {where}" if where else name
        return replace(problem, where=where)

    def _annotations(self, scored: bool | None) -> Annotations:
        rows = self._rows
        if not rows:
            return Annotations.empty(scored=bool(scored))
        masks = self._masks()
        polygons = self._polygons()
        crowd = [bool(row.crowd) for row in rows] if any(row.crowd is not None for row in rows) else None
        ids = self._all_or_none([row.id for row in rows], "annotation")
        return Annotations(
            [row.image for row in rows],
            [row.label for row in rows],
            self._boxes(masks, polygons),
            self._scores(),
            self._areas(),
            crowd,
            masks,
            polygons,
            ids,
            self._source(),
            self._extras([row.extras for row in rows]),
            set() if ids is not None else {"ids"},
        )

    def _source(self) -> Source:
        origins: dict[tuple[str, str], int] = {}
        which = [origins.setdefault(row.place[:2], len(origins)) for row in self._rows]
        templates = [f"{document}: {template}" if template else document for document, template in origins]
        return Source(templates, [row.place.row for row in self._rows], which)

    def _boxes(self, masks: Masks | None, polygons: Polygons | None) -> npt.NDArray[np.float64] | None:
        """Boxes of the document, with those of masks or outlines where it has none; None where it has none at all."""
        given = np.array([row.box is not None for row in self._rows])
        if not given.any():
            return None
        boxes = np.zeros((len(given), 4)) if polygons is None else polygons.boxes
        if masks is not None:
            boxes[masks.present] = masks.boxes[masks.present]
        boxes[given] = [row.box for row in self._rows if row.box is not None]
        return boxes

    def _scores(self) -> list[float] | None:
        scores = [row.score for row in self._rows if row.score is not None]
        if 0 < len(scores) < len(self._rows):
            first = next(row for row in self._rows if row.score is None)
            self._refuse(
                first.place, "score-missing", "no score", "a score, as other annotations have",
                len(self._rows) - len(scores),
            )  # fmt: skip
            return None
        return scores or None

    def _areas(self) -> list[float] | None:
        areas = [row.area for row in self._rows if row.area is not None]
        return areas if len(areas) == len(self._rows) else None

    def _masks(self) -> Masks | None:
        have = [place for place, row in enumerate(self._rows) if row.mask is not None]
        if not have:
            return None
        parts = [row.mask for row in self._rows if row.mask is not None]
        return Masks.concat(parts).spread(np.array(have), len(self._rows))

    def _polygons(self) -> Polygons | None:
        if not any(len(row.rings) for row in self._rows):
            return None
        return Polygons.from_rings(
            [row.rings for row in self._rows],
            [row.holes if row.holes is not None else [False] * len(row.rings) for row in self._rows],
        )

    def _all_or_none(self, ids: Sequence[int | None], kind: str) -> list[int] | None:
        """Ids that all have and no two share, else None; where some are dropped, that is noted."""
        given = [number for number in ids if number is not None]
        if not given:
            return None
        missing = len(ids) - len(given)
        if not missing and len(set(given)) == len(given):
            return given
        found = f"{missing:,} {kind}s without id" if missing else f"{kind} ids that are not unique"
        self.report.note(f"{kind}-ids", f"{found}: no id is kept", severity="warning", count=len(given))
        return None

    @staticmethod
    def _extras(rows: Sequence[Mapping[str, Any] | None]) -> Extras | None:
        return Extras.from_dicts(rows) if any(rows) else None
