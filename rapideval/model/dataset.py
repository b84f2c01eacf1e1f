"""A dataset: images, labels and annotations. Ground truth and predictions are the same type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from rapideval.errors import Problem
from rapideval.model.annotations import Annotations
from rapideval.model.columns import Frozen, Rows, refuse, row_numbers
from rapideval.model.images import Images
from rapideval.model.labels import Labels
from rapideval.model.masks import Masks

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Annotation", "Dataset"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation, for people who loop; kernels work on the columns."""

    index: int
    image: str
    label: str
    box: tuple[float, float, float, float]
    score: float | None
    area: float
    crowd: bool
    id: int | None
    rings: list[npt.NDArray[np.float64]]
    masks: Masks | None

    @property
    def mask(self) -> npt.NDArray[np.bool_] | None:
        """Dense mask (H, W), made when asked for; None where the row has none."""
        return None if self.masks is None else self.masks.dense(0)


class Dataset(Frozen):
    """Images, labels and the annotations that refer to them.

    Parameters
    ----------
    images, labels, annotations
        What it holds. An image or label without annotations is meant: it was looked at and nothing was found.
    info
        Metadata of the source that the model has no place for (COCO ``info``, ``licenses``), kept for writing back.
    notes
        What was mended, skipped or derived while reading: warnings and infos, never errors.

    Raises
    ------
    InputError
        Where an annotation refers to an image or label that is not there, or a mask's size is not its image's.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> rows = Annotations([0], [0], [[1, 2, 3, 4]], [0.9])
    >>> data = Dataset(Images(["a.jpg"], sizes=[[10, 20]]), Labels(["cat"]), rows)
    >>> data
    Dataset(1 image, 1 label, 1 prediction)
    >>> data[0].label, data[0].box
    ('cat', (1.0, 2.0, 3.0, 4.0))
    """

    __slots__ = ("annotations", "images", "info", "labels", "notes")
    images: Images
    labels: Labels
    annotations: Annotations
    info: dict[str, Any]
    notes: tuple[Problem, ...]

    def __init__(
        self,
        images: Images,
        labels: Labels,
        annotations: Annotations,
        info: Mapping[str, Any] | None = None,
        notes: Sequence[Problem] = (),
    ) -> None:
        for name, places, length in (
            ("image", annotations.image, len(images)),
            ("label", annotations.label, len(labels)),
        ):
            if len(places) and places.max() >= length:
                row = int(places.argmax())
                refuse(
                    "column-range",
                    annotations.where(row),
                    f"{name} {places[row]}",
                    f"a place among {length} {name}s",
                )
        if annotations.masks is not None:
            _check_mask_sizes(images, annotations, annotations.masks)
        self._set(images=images, labels=labels, annotations=annotations, info=dict(info or {}), notes=tuple(notes))

    # --- views -----------------------------------------------------------------------------------

    @property
    def scored(self) -> bool:
        """Whether these are predictions, with a score each."""
        return self.annotations.score is not None

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitem__(self, index: int) -> Annotation:
        rows = self.annotations
        index = range(len(rows))[index]
        x, y, width, height = rows.box[index].tolist()
        mask = None
        if rows.masks is not None and rows.masks.offsets[index] < rows.masks.offsets[index + 1]:
            mask = rows.masks.take(np.array([index]))
        return Annotation(
            index,
            self.images.key(int(rows.image[index])),
            self.labels.names[rows.label[index]],
            (x, y, width, height),
            None if rows.score is None else float(rows.score[index]),
            float(rows.area[index]),
            bool(rows.crowd[index]),
            None if rows.ids is None else int(rows.ids[index]),
            [] if rows.polygons is None else rows.polygons.rings(index),
            mask,
        )

    def __iter__(self) -> Iterator[Annotation]:
        return (self[i] for i in range(len(self)))

    def replace(self, **changes: Any) -> Self:
        """The same dataset with some parts replaced."""
        parts = {name: getattr(self, name) for name in self.__slots__} | changes
        return type(self)(**parts)

    # --- choosing --------------------------------------------------------------------------------

    def take(self, rows: Rows) -> Self:
        """The chosen annotations; all images and labels stay."""
        return self.replace(annotations=self.annotations.take(rows))

    def where(
        self,
        *,
        image: str | Collection[str] | None = None,
        label: str | Collection[str] | None = None,
        score: tuple[float | None, float | None] | None = None,
        area: tuple[float | None, float | None] | None = None,
        crowd: bool | None = None,
    ) -> Self:
        """The annotations that meet every condition; all images and labels stay.

        Parameters
        ----------
        image, label
            Keys of images, names of labels; KeyError for one that is not there.
        score, area
            Lowest and highest value, both included; None where open.
        crowd
            Only crowds, or only single objects.

        Examples
        --------
        >>> from rapideval import Annotations, Dataset, Images, Labels
        >>> rows = Annotations([0, 1], [0, 1], [[0, 0, 2, 2], [0, 0, 9, 9]], [0.9, 0.2])
        >>> data = Dataset(Images(["a", "b"]), Labels(["cat", "dog"]), rows)
        >>> len(data.where(label="cat", score=(0.5, None))), len(data.where(area=(50, None)))
        (1, 1)
        """
        rows = self.annotations
        keep = np.ones(len(rows), np.bool_)
        if image is not None:
            keep &= np.isin(rows.image, _places(self.images, [image] if isinstance(image, str) else image))
        if label is not None:
            chosen = [self.labels.index(name) for name in ([label] if isinstance(label, str) else label)]
            keep &= np.isin(rows.label, chosen)
        for name, values, bounds in (("score", rows.score, score), ("area", rows.area, area)):
            if bounds is None:
                continue
            if values is None:
                refuse("score-missing", name, "ground truth, which has no scores", "predictions")
            low, high = bounds
            keep &= (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
        if crowd is not None:
            keep &= rows.crowd == crowd
        return self.take(keep)

    def take_images(self, rows: Rows) -> Self:
        """The chosen images, in that order, with their annotations; all labels stay."""
        numbers = row_numbers(rows, len(self.images))
        if len(np.unique(numbers)) != len(numbers):
            refuse("image-duplicate", "rows", "an image chosen twice", "each image once")
        place = np.full(len(self.images), -1, np.int32)
        place[numbers] = np.arange(len(numbers), dtype=np.int32)
        moved = place[self.annotations.image]
        kept = self.annotations.take(moved >= 0)
        return self.replace(images=self.images.take(numbers), annotations=kept.replace(image=moved[moved >= 0]))

    def take_labels(self, names: Sequence[str]) -> Self:
        """The chosen labels, in that order, with their annotations; all images stay."""
        chosen = np.array([self.labels.index(name) for name in names], np.int64)
        place = np.full(len(self.labels), -1, np.int32)
        place[chosen] = np.arange(len(chosen), dtype=np.int32)
        moved = place[self.annotations.label]
        kept = self.annotations.take(moved >= 0)
        return self.replace(labels=self.labels.take(chosen), annotations=kept.replace(label=moved[moved >= 0]))

    def split(
        self,
        shares: Mapping[str, float],
        *,
        seed: int = 0,
        stratify: bool = True,
        groups: Sequence[str] | None = None,
    ) -> dict[str, Dataset]:
        """Parts of given shares that resemble each other; see `rapideval.model.splitting.split`."""
        from rapideval.model.splitting import split

        return split(self, shares, seed=seed, stratify=stratify, groups=groups)

    def sample(
        self, count: int, *, seed: int = 0, stratify: bool = True, groups: Sequence[str] | None = None
    ) -> Dataset:
        """So many images, drawn at random, with their annotations; see `rapideval.model.splitting.sample`."""
        from rapideval.model.splitting import sample

        return sample(self, count, seed=seed, stratify=stratify, groups=groups)

    # --- changing --------------------------------------------------------------------------------

    def relabel(self, names: Mapping[str, str]) -> Self:
        """Annotations under new label names; two labels given one name become one."""
        labels, place = self.labels.rename(names)
        return self.replace(labels=labels, annotations=self.annotations.replace(label=place[self.annotations.label]))

    def with_masks(self, threads: int = 0) -> Self:
        """The same dataset with a mask for every annotation that has a polygon and none yet (COCO's rasteriser).

        Areas and boxes stay as they are.
        """
        rows = self.annotations
        if rows.polygons is None:
            return self
        have = np.zeros(len(rows), np.bool_) if rows.masks is None else rows.masks.present
        missing = np.flatnonzero(rows.polygons.present & ~have)
        if not len(missing):
            return self
        sizes = self.images.sizes[rows.image[missing]]
        unknown = np.flatnonzero((sizes == 0).any(axis=1))
        if len(unknown):
            row = int(missing[unknown[0]])
            refuse(
                "image-size",
                rows.where(row),
                f"a polygon on image {self.images.key(int(rows.image[row]))!r}, whose size is not known",
                "height and width, to rasterise it",
                "give the images' sizes, for instance by reading their files",
            )
        outlines = rows.polygons if len(missing) == len(rows) else rows.polygons.take(missing)
        drawn = outlines.rasterise(sizes, threads)
        if rows.masks is not None and have.any():
            whole = Masks.concat([rows.masks, drawn])
            order = np.arange(len(rows))
            order[missing] = len(rows) + np.arange(len(missing))
            drawn = whole.take(order)
        else:
            drawn = drawn.spread(missing, len(rows))
        columns = rows.columns() | {"masks": drawn}
        return self.replace(annotations=type(rows)(**columns))

    @classmethod
    def concat(cls, parts: Sequence[Dataset]) -> Self:
        """Several datasets as one: images and labels of the same key or name are one.

        Sizes, ids and further fields of an image or label are those of the first dataset that knows them. Ids are kept
        where all have one and no two are equal. Of sources that may not mean the same by one name or number, see
        `rapideval.model.merging.merge`.

        Raises
        ------
        InputError
            For an image of two sizes, for two images of one name in a dataset, for parts with and without scores.
        """
        from rapideval.model.concat import concat

        return cls(*concat(parts))

    # --- out -------------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """Hash of the content that scores depend on: images, labels, boxes, scores, areas, crowds, outlines.

        Equal content has the equal fingerprint, whatever file or format it came from; sources, notes and unknown
        fields do not count.

        Returns
        -------
        str
            ``"sha256:"`` and 64 hexadecimal digits.
        """
        import hashlib

        digest = hashlib.sha256()

        def add(name: str, value: npt.NDArray[Any] | Sequence[str] | None) -> None:
            if value is None:
                return
            if isinstance(value, np.ndarray):
                data = value.tobytes()
            else:
                text = f"{' '.join(str(len(item)) for item in value)}\n{''.join(value)}"
                data = text.encode("utf-8", "surrogatepass")
            digest.update(f"{name} {len(value)} {len(data)}\n".encode())
            digest.update(data)

        add("images", self.images.keys)
        add("sizes", self.images.sizes)
        add("labels", self.labels.names)
        rows = self.annotations
        for name in ("image", "label", "box", "score", "area", "crowd"):
            add(name, getattr(rows, name))
        drawn = np.zeros(len(rows), np.bool_) if rows.masks is None else rows.masks.present
        if rows.masks is not None and drawn.any():
            for name in ("counts", "offsets", "sizes"):
                add(f"masks.{name}", getattr(rows.masks, name))
        # An outline beside a mask bears on no score.
        outlined = drawn if rows.polygons is None else rows.polygons.present & ~drawn
        if rows.polygons is not None and outlined.any():
            outlines = rows.polygons if outlined.all() else rows.polygons.take(outlined)
            add("polygons.rows", np.flatnonzero(outlined))
            for name in ("coordinates", "ring_offsets", "row_offsets", "ring_is_hole"):
                add(f"polygons.{name}", getattr(outlines, name))
        return f"sha256:{digest.hexdigest()}"

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with a row per annotation; image and label as categories, numbers without copies.

        The other way is `rapideval.interop.from_pandas`.
        """
        from rapideval.model.tables import to_pandas

        return to_pandas(self)

    def to_arrow(self) -> pa.Table:
        """An Arrow table with a row per annotation; numbers without copies, masks as lists of run lengths."""
        from rapideval.model.tables import to_arrow

        return to_arrow(self)

    def __repr__(self) -> str:
        kind = "prediction" if self.scored else "annotation"
        counts = (
            (len(self.images), "image"),
            (len(self.labels), "label"),
            (len(self), kind),
        )
        text = ", ".join(f"{n:,} {name}" + ("" if n == 1 else "s") for n, name in counts)
        masks = self.annotations.masks
        if masks is not None:
            text += f", {int(masks.present.sum()):,} masks"
        return f"Dataset({text})"

    def _repr_html_(self) -> str:
        from rapideval.model.show import dataset_html

        return dataset_html(self)


def _places(images: Images, keys: Collection[str]) -> list[int]:
    """Places of all images of these keys: several may share a name, where ids tell them apart."""
    wanted = set(keys)
    places = [place for place, key in enumerate(images.keys) if key in wanted]
    if len(places) < len(wanted):
        for key in keys:
            images.index(key)
    return places


def _check_mask_sizes(images: Images, rows: Annotations, masks: Masks) -> None:
    sizes = images.sizes[rows.image]
    wrong = (masks.sizes != sizes).any(axis=1) & (sizes > 0).all(axis=1) & masks.present
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    (height, width), (expected_height, expected_width) = masks.sizes[row].tolist(), sizes[row].tolist()
    transposed = (height, width) == (expected_width, expected_height)
    refuse(
        "mask-size",
        rows.where(row),
        f"a mask of height {height}, width {width} ({int(wrong.sum()):,} such masks)",
        f"height {expected_height}, width {expected_width}, as image {images.key(int(rows.image[row]))!r}",
        "height and width look swapped" if transposed else "",
    )
