"""Types of the compiled kernels (core/src/bindings).

Contracts every kernel keeps: arrays in and out, C-contiguous and of exactly the stated dtype; the GIL
is released; the result has the same bits for any number of ``threads`` (0: all of the machine); every
index and length is checked; a bad input raises ``CoreError`` with where, what and what was expected.

A set of N run-length masks is always the triple

- ``counts``: uint32, all run lengths one after another, column-major, beginning with background (as COCO's);
- ``offsets``: int64 of shape (N + 1,), mask i is ``counts[offsets[i]:offsets[i + 1]]``;
- ``sizes``: uint32 of shape (N, 2), height and width.
"""

from collections.abc import Collection
from mmap import mmap
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

_U8: TypeAlias = npt.NDArray[np.uint8]
_U16: TypeAlias = npt.NDArray[np.uint16]
_U32: TypeAlias = npt.NDArray[np.uint32]
_U64: TypeAlias = npt.NDArray[np.uint64]
_I32: TypeAlias = npt.NDArray[np.int32]
_I64: TypeAlias = npt.NDArray[np.int64]
_F64: TypeAlias = npt.NDArray[np.float64]
_Bool: TypeAlias = npt.NDArray[np.bool_]
_Buffer: TypeAlias = bytes | bytearray | memoryview | mmap | _U8

class CoreError(ValueError):
    rule: str
    found: str
    expected: str
    hint: str
    path: str
    offset: int | None
    line: int | None
    row: int | None

# --- masks -----------------------------------------------------------------------------------------

def rle_from_dense(masks: _U8, threads: int = 0) -> tuple[_U32, _I64]:
    """Runs of dense masks (N, H, W), 0 or 1 (else CoreError), with any strides: both memory orders are fast."""

def rle_to_dense(counts: _U32, offsets: _I64, sizes: _U32, order: Literal["C", "F"] = "C", threads: int = 0) -> _U8:
    """Dense (N, H, W) masks of one common size, each stored in row-major (C) or column-major (F) order."""

def rle_check(counts: _U32, offsets: _I64, sizes: _U32) -> None:
    """Raises CoreError (rule, row) unless offsets are sound and the runs of every mask sum to its size."""

def rle_from_strings(text: _Buffer, text_offsets: _I64, sizes: _U32, threads: int = 0) -> tuple[_U32, _I64]:
    """Runs from COCO's compressed strings, laid one after another in text; sums checked against sizes."""

def rle_to_strings(counts: _U32, offsets: _I64, threads: int = 0) -> tuple[bytes, _I64]:
    """COCO's compressed strings, one after another, and their offsets; byte-equal to pycocotools."""

def rle_area(counts: _U32, offsets: _I64, threads: int = 0) -> _I64:
    """Foreground pixels of each mask, (N,)."""

def rle_box(counts: _U32, offsets: _I64, sizes: _U32, threads: int = 0) -> _F64:
    """Tight boxes x, y, width, height (N, 4), bit-equal to pycocotools' toBbox (all 0 for an empty mask)."""

def rle_combine(
    counts: _U32, offsets: _I64, sizes: _U32, groups: _I64, op: Literal["union", "intersection", "difference"],
    threads: int = 0,
) -> tuple[_U32, _I64]:
    """One mask for each group of consecutive masks groups[g]:groups[g+1] (of one size); difference: first minus the rest."""

def rle_crop(counts: _U32, offsets: _I64, sizes: _U32, windows: _I64, threads: int = 0) -> tuple[_U32, _I64]:
    """Each mask cut to its window x, y, width, height (N, 4), which may reach over the border (filled with background)."""

def rle_iou_matrix(
    a_counts: _U32, a_offsets: _I64, a_sizes: _U32, b_counts: _U32, b_offsets: _I64, b_sizes: _U32, b_crowd: _Bool,
    threads: int = 0,
) -> _F64:
    """IoU (A, B), bit-equal to pycocotools.mask.iou; where b is crowd the union is the area of a."""

def rle_iou_pairs(
    a_counts: _U32, a_offsets: _I64, a_sizes: _U32, b_counts: _U32, b_offsets: _I64, b_sizes: _U32, b_crowd: _Bool,
    pairs: _I64, threads: int = 0,
) -> _F64:
    """IoU (P,) of the pairs (a, b) of row numbers, (P, 2)."""

def rle_from_polygons(
    coordinates: _F64, ring_offsets: _I64, row_offsets: _I64, ring_is_hole: _Bool, sizes: _U32, threads: int = 0,
) -> tuple[_U32, _I64]:
    """COCO's rasteriser, bit-equal to pycocotools' frPyObjects + merge; a hole is subtracted from the rings before it.

    coordinates (P, 2) x, y; ring r is coordinates[ring_offsets[r]:ring_offsets[r+1]]; row n owns rings
    row_offsets[n]:row_offsets[n+1].
    """

def rle_outlines(
    counts: _U32, offsets: _I64, sizes: _U32, connectivity: Literal[4, 8] = 4, threads: int = 0,
) -> tuple[_F64, _I64, _I64, _Bool]:
    """Outlines along pixel edges: coordinates (P, 2), ring_offsets, row_offsets, ring_is_hole, laid out as in rle_from_polygons.

    An exterior ring comes before its holes; rings are closed implicitly (the first point is not repeated),
    exteriors run clockwise as seen on the screen (y down), holes the other way; collinear points are left out.
    """

# --- boxes -----------------------------------------------------------------------------------------

def box_iou_matrix(a: _F64, b: _F64, b_crowd: _Bool) -> _F64:
    """IoU (A, B) of boxes x, y, width, height, bit-equal to pycocotools.mask.iou."""

def survey_boxes(boxes: _F64, image: _I32, sizes: _U32, threads: int = 0) -> tuple[float, float, int, int, int]:
    """Look once at boxes (N, 4) on images (N,) of heights and widths (I, 2).

    Gives the smallest width or height (inf without boxes), the largest number without its sign, how many boxes have a
    width or height above 0, how many could be x1, y1, x2, y2, and how many have their centre beyond their image, where
    its size is known.
    """

# --- reading: COCO-shaped JSON straight into columns --------------------------------------------------
#
# All readers are strict RFC 8259 on every byte, skipped values included; a leading BOM is passed over. A text
# that is not JSON raises CoreError with byte offset, line and JSON path; its rule is one of
#   json-empty          nothing but white space        json-trailing       text after the document
#   json-encoding       UTF-16/32, gzip, zstd, pickle  json-utf8           bytes that are not UTF-8
#   json-truncated      the text ends too early        json-duplicate-key  a member stands twice in an object
#   json-syntax         anything else, not JSON        json-depth          nested deeper than max_depth
#   json-nan            NaN, Infinity                  json-surrogate      half a surrogate pair in decoded text
# A value of the wrong shape (a box of three numbers, a score that is text) does not stop the reader: it is
# collected in ``problems`` as a CoreError that was not raised, the row's key counts as absent, and reading
# goes on, so that a caller can report all of them. Columns that came with problems must not be used.

class TextColumn(TypedDict):
    """Ragged UTF-8: row i is ``data[offsets[i]:offsets[i + 1]]``, empty where the key is absent."""

    data: _U8
    offsets: _I64

# Ids are integers (exact int64; 7.0 counts as 7), or text in every row; a mixture is a problem (coco-id-mixed).
_Ids: TypeAlias = _I64 | TextColumn

# True: every row has the key; False: none has, or there are no rows (the column is None); else bool (N,).
_Present: TypeAlias = bool | _Bool

class SegmentationColumns(TypedDict):
    # (N,) 0: none, 1: polygons, 2: run-lengths as a list, 3: run-lengths as COCO's compressed string
    kind: _U8
    # runs of kinds 2 and 3, as everywhere in this module; their sum equals height x width
    counts: _U32
    offsets: _I64
    sizes: _U32  # (N, 2) height, width; 0, 0 for kinds 0 and 1
    # kind 1, as in rle_from_polygons
    coordinates: _F64
    ring_offsets: _I64
    row_offsets: _I64

class AnnotationColumns(TypedDict):
    rows: int
    image_id: _Ids | None
    category_id: _Ids | None
    id: _Ids | None
    bbox: _F64 | None  # (N, 4); NaN where absent
    score: _F64 | None  # (N,) NaN where absent
    area: _F64 | None  # (N,) NaN where absent
    iscrowd: _Bool | None  # (N,) False where absent
    segmentation: SegmentationColumns | None
    # when asked for: per row the JSON object of all other members, verbatim; empty: there are none
    extras: TextColumn | None
    # by key: image_id, category_id, id, bbox, score, area, iscrowd, segmentation
    present: dict[str, _Present]
    # how many members were null and count as absent, by key (only those met); a null id is a problem instead
    nulls: dict[str, int]

class ImageColumns(TypedDict):
    rows: int
    id: _Ids | None
    width: _I64 | None  # (N,) 0 where absent
    height: _I64 | None
    file_name: TextColumn | None
    extras: TextColumn | None
    present: dict[str, _Present]
    nulls: dict[str, int]

class CategoryColumns(TypedDict):
    rows: int
    id: _Ids | None
    name: TextColumn | None
    supercategory: TextColumn | None
    extras: TextColumn | None
    present: dict[str, _Present]
    nulls: dict[str, int]

class CocoResults(TypedDict):
    annotations: AnnotationColumns
    problems: list[CoreError]  # in the order of the text, at most max_problems; path is $[row].key
    problem_count: int

class CocoDataset(TypedDict):
    images: ImageColumns | None  # None: the document has no such member
    categories: CategoryColumns | None
    annotations: AnnotationColumns | None
    top: dict[str, bytes]  # the other members of the document (info, licenses, ...): their JSON text, verbatim
    problems: list[CoreError]  # path is $.annotations[row].key and so on
    problem_count: int

def read_coco_results(
    source: str | _Buffer,
    extras: bool = False,
    threads: int = 0,
    max_problems: int = 100,
    max_depth: int = 512,
    chunk_bytes: int = 0,
) -> CocoResults:
    """Columns of a COCO results array ``[{"image_id": 1, "category_id": 2, "bbox": [...], "score": 0.5}, ...]``.

    source is the path of a file, which is mapped and whose pages are let go once read, or the text itself.
    Rules of problems: coco-object, coco-id, coco-id-mixed, coco-bbox, coco-number (score, area), coco-iscrowd,
    coco-polygon, coco-rle, rle-size, mask-size, rle-string, rle-sum, coco-size (width, height), coco-text,
    json-surrogate. A document that is something else altogether raises coco-shape. chunk_bytes is for tests:
    how the text is cut for the threads.
    """

def read_coco_dataset(
    source: str | _Buffer,
    extras: bool = False,
    threads: int = 0,
    max_problems: int = 100,
    max_depth: int = 512,
    chunk_bytes: int = 0,
) -> CocoDataset:
    """Columns of a COCO dataset ``{"images": [...], "categories": [...], "annotations": [...], ...}``.

    Scores are read where annotations have them. All else as in read_coco_results.
    """

def index_ids(values: _I64, keys: _I64, threads: int = 0) -> _I32:
    """The row of keys (K,) that each of values (N,) equals, -1 where none does.

    A key that stands twice is a CoreError (rule duplicate-id, row: the second one).
    """

def json_place(source: str | _Buffer, offset: int) -> tuple[int, str]:
    """Line (from 1) and JSON path of the value or member at a byte offset, by a slow second reading."""

# --- reading: answers with dense bitmasks --------------------------------------------------------------

class BitmaskArray:
    """Dense bitmasks of an answer, already run-lengths: what stood there as ``[[0, 1, ...], ...]``."""

    @property
    def counts(self) -> _U32: ...
    @property
    def offsets(self) -> _I64: ...
    @property
    def sizes(self) -> _U32:
        """(N, 2) height, width of each mask; they may differ from mask to mask."""
    @property
    def ndim(self) -> int:
        """Levels of brackets: 2 is one mask [H, W]; 3 is [N, H, W] (or [1, H, W]); 4 is [N, 1, H, W]."""
    @property
    def offset(self) -> int:
        """Where it begins, in bytes of the document's text."""
    def __len__(self) -> int:
        """N, the number of masks."""

class JsonText:
    """A string of the document that is itself JSON text (it begins with ``[`` or ``{``), not yet decoded."""

    @property
    def offset(self) -> int:
        """Where its opening quote stands, in bytes of the document's text."""
    def __len__(self) -> int:
        """Bytes between its quotes, as written."""
    def __str__(self) -> str:
        """The decoded text."""
    def scan(
        self,
        bitmask_keys: Collection[str] = ...,
        *,
        root_is_bitmask: bool = False,
        any_key: bool = False,
        other_keys: Collection[str] = ...,
        values_255: bool = False,
        min_text: int = 1024,
        max_depth: int = 512,
        threads: int = 0,
        level: _Level = "auto",
    ) -> JsonTree:
        """The document inside, as scan_payload gives it, read in place.

        Offsets count in the outermost text given to scan_payload; the path of an error is the path within
        the document of this string, so the caller puts the path of the string in front.
        """

JsonTree: TypeAlias = (
    "dict[str, JsonTree] | list[JsonTree] | str | int | float | BitmaskArray | JsonText | CoreError | None"
)
_Level: TypeAlias = Literal["auto", "plain", "sse2", "avx2", "neon"]

def scan_payload(
    text: _Buffer,
    bitmask_keys: Collection[str] = ...,
    *,
    root_is_bitmask: bool = False,
    any_key: bool = False,
    other_keys: Collection[str] = ...,
    values_255: bool = False,
    min_text: int = 1024,
    max_depth: int = 512,
    threads: int = 0,
    level: _Level = "auto",
) -> JsonTree:
    """The document as a light tree in which dense bitmasks are run-lengths already.

    Strict as the readers above. Under a member named in bitmask_keys (default: masks,
    semantic_segmentation_mask), and at the top if root_is_bitmask, a value that is

    - nested arrays of 0/1, true/false, 0.0/1.0 (mixed as they come) with 2 to 4 levels becomes a BitmaskArray;
    - nested arrays of numbers or booleans that are no bitmask becomes a CoreError, not raised, whose rule is
      M31 (ragged: row, both lengths), M33 (a value other than 0 and 1), M34 (no rows or no columns) or M35
      (1-D, over 4 levels, uneven nesting, a 4-D array whose second level is not of length 1); its path
      counts from the value: ``[3][17][4]``. The text of such a value is still checked to be JSON;
    - anything else (a list of RLE objects, text, null, []) stays as it is; in a list of other things, each
      nested array is taken by itself.

    any_key: the same under every member but other_keys (default: boxes, scores, labels), save that what is
    no bitmask becomes plain lists. values_255: 255 counts as 1 too.

    A string of at least min_text bytes that begins with ``[`` or ``{`` (after white space) becomes a JsonText,
    so that a string layer is read in place; other strings are str. Integers are exact of any size (over 4,300
    digits: json-syntax), 1e400 is inf: check that numbers are finite. level chooses the instructions, for
    tests; the result is the same.
    """

def simd_levels() -> list[str]:
    """The levels this machine can run, slowest first."""

# --- matching and accumulation -----------------------------------------------------------------------
#
# Bit a * T + t of a row of W = ceil(T * A / 64) words of 64 bits stands for area range a and IoU threshold t.

class MatchColumns(TypedDict):
    """One row for each kept detection: by label, then falling score, then image rank, then place in its cell.

    A cell is one image and one label (one image where class_agnostic, and then all rows are one block).
    """

    label_offsets: _I64  # (labels + 1,) the rows of each label; (2,) where class_agnostic
    row: _I32  # (D,) row of the detection in the input
    image: _I32  # (D,)
    score: _F64  # (D,)
    rank: _I32  # (D,) place in its cell by falling score, from 0; ties in the order of the input
    iou: _F64  # (D,) best IoU with an object of its cell that is neither crowd nor ignore; 0 where below iou_floor
    iou_row: _I32  # (D,) row of that object in the ground truth, or -1
    matched_iou: _F64  # (D,) IoU with the object it is matched to at the reference threshold in area range 0, or 0
    matched_row: _I32  # (D,) row of that object (crowds and ignored ones too), or -1
    matched: _U64  # (D, W) matched to an object
    ignored: _U64  # (D, W) counts neither as true nor as false
    object_ignored: _U64  # (G,) bit a: the ground-truth object is ignored in area range a
    object_matched: _U64  # (G, W) some detection is matched to it

_MaskColumns: TypeAlias = tuple[_U32, _I64, _U32]

def match(
    prediction_image: _I32,
    prediction_label: _I32,
    prediction_score: _F64,
    prediction_area: _F64,
    prediction_shapes: _F64 | _MaskColumns,
    truth_image: _I32,
    truth_label: _I32,
    truth_area: _F64,
    truth_shapes: _F64 | _MaskColumns,
    truth_crowd: _Bool,
    truth_ignore: _Bool | None,
    image_rank: _I32,
    labels: int,
    iou_thresholds: _F64,
    area_ranges: _F64,
    max_detections: int,
    reference: int = 0,
    iou_floor: float = 0.1,
    class_agnostic: bool = False,
    threads: int = 0,
) -> MatchColumns:
    """Greedy matching as COCO defines it, for all IoU thresholds and area ranges at once.

    Shapes are boxes (N, 4) or the (counts, offsets, sizes) of masks, alike on both sides. image_rank (I,) is a
    permutation: the order of images that breaks ties of score. area_ranges (A, 2), both ends included, A up to 62;
    iou_thresholds (T,), T up to 64, used as min(t, 1 - 1e-10). max_detections counts per cell. A crowd may be matched
    many times; an object is ignored if it is crowd, has truth_ignore, or its area lies outside the range; what
    matches an ignored object is ignored, as is what matches nothing and lies outside the range itself.
    """

def best_others(
    prediction_image: _I32,
    prediction_label: _I32,
    prediction_shapes: _F64 | _MaskColumns,
    rows: _I32,
    truth_image: _I32,
    truth_label: _I32,
    truth_shapes: _F64 | _MaskColumns,
    truth_crowd: _Bool,
    images: int,
    iou_floor: float = 0.1,
    threads: int = 0,
) -> tuple[_F64, _I32]:
    """Best IoU of some detections (rows, (D,)) with an object of another label in their image, and the object's row.

    0 and -1 where none reaches iou_floor. Crowds are left out; of equal overlaps the first object is told.
    """

def accumulate(
    label_offsets: _I64,
    score: _F64,
    rank: _I32,
    matched: _U64,
    ignored: _U64,
    thresholds: int,
    positives: _I64,
    recall_thresholds: _F64,
    limits: _I64,
    threads: int = 0,
) -> tuple[_F64, _F64, _F64]:
    """precision (A, M, T, R, K), recall (A, M, T, K), scores (A, M, T, R, K), the values bit-equal to pycocotools'.

    The first columns are those of `match`; positives (K, A) counts the objects that are not ignored; limits (M,) rise
    and none exceeds the max_detections of the matching. Where a label has no object in an area range: -1.
    """

class CauseColumns(TypedDict):
    # The D kept detections, by image rank, then falling score.
    row: _I32  # (D,) row of the detection in the input
    cause: _U8  # (D,) 0 correct, 1 localisation, 2 label, 3 both, 4 duplicate, 5 background
    ignored: _U8  # (D,) 1: inside a crowd of its label, counts neither way
    object: _I32  # (D,) row of the object it found or its cause speaks of, or -1
    iou: _F64  # (D,) with that object, or 0
    found_by: _I32  # (G,) row of the detection that found the object, or -1
    mended_by: _I32  # (G,) row of the surest detection whose mending would find the object, or -1

def explain(
    prediction_image: _I32,
    prediction_label: _I32,
    prediction_score: _F64,
    prediction_shapes: _F64 | _MaskColumns,
    truth_image: _I32,
    truth_label: _I32,
    truth_shapes: _F64 | _MaskColumns,
    truth_crowd: _Bool,
    image_rank: _I32,
    found: float = 0.5,
    background: float = 0.1,
    max_detections: int = 100,
    threads: int = 0,
) -> CauseColumns:
    """Why each detection is wrong, by TIDE's definition (Bolya et al. 2020), over all labels of an image at once.

    Shapes are boxes (N, 4) or the triple of a mask set, the same on both sides. max_detections counts by image.
    """

# --- resampling --------------------------------------------------------------------------------------

def accumulate_weighted(
    label_offsets: _I64,
    score: _F64,
    rank: _I32,
    matched: _U64,
    ignored: _U64,
    thresholds: int,
    areas: int,
    image: _I32,
    object_image: _I32,
    object_label: _I32,
    object_ignored: _U64,
    recall_thresholds: _F64,
    limits: _I64,
    weights: _U16,
    threads: int = 0,
) -> tuple[_F64, _F64]:
    """AP (B, K, A, T) and recall (B, K, A + M - 1, T) of B draws, NaN where no object counts.

    The first columns are those of `match`; weights (B, I) says how often each image counts. AP is under the last of
    the limits; recall by area range under the last, then for the first range under each of the others. object_label
    is the block of rows (0 where class-agnostic). At most 32 area ranges.
    """

def bootstrap_weights(seed: int, first: int, draws: int, images: int, threads: int = 0) -> _U16:
    """How often each of I images was drawn, with replacement, in each draw: (draws, I), rows first, first + 1, ...

    Number i of draw b is a hash of (seed, b, i) by splitmix64: the same whatever is asked for at once.
    """

def coin_flips(seed: int, first: int, draws: int, images: int, threads: int = 0) -> _U8:
    """0 or 1 with equal chance for each draw and image, by the same rule."""

# --- semantic segmentation ---------------------------------------------------------------------------

class SemanticColumns(TypedDict):
    """Label K stands for pixels that no mask of that side holds."""

    image: _I32  # (R,) rows rise by image, then label: every label that stands in the image, on either side
    label: _I32
    truth: _I64  # pixels
    predicted: _I64
    intersection: _I64
    confusion: _I64  # (K + 1, K + 1): truth, predicted
    ignored: _I64  # (I,) pixels left out
    covered: _I64  # (I, 2) pixels painted more than once, by side

def semantic_compare(
    sizes: _U32,
    t_counts: _U32,
    t_offsets: _I64,
    t_sizes: _U32,
    t_image: _I32,
    t_label: _I32,
    t_ignore: _Bool,
    p_counts: _U32,
    p_offsets: _I64,
    p_sizes: _U32,
    p_image: _I32,
    p_label: _I32,
    labels: int,
    ignore_unlabelled: bool = False,
    threads: int = 0,
) -> SemanticColumns:
    """Label masks of two sides compared pixel by pixel on their runs.

    sizes (I, 2) are the images' heights and widths. Rows rise by image; the masks of an image are painted in
    order, a later one covers an earlier one; pixels under a mask whose t_ignore is set, and with
    ignore_unlabelled those that no mask of the truth holds, are left out.
    """

# --- writing: columns into text -----------------------------------------------------------------------

# kind, values, offsets, index, present
#   int      int64 (N,) or (N, W): W numbers with the separator between them
#   float    float64 (N,) or (N, W), finite; the fewest digits that read back, as Python's repr, but whole numbers
#            below 1e16 without ".0"
#   int-array, float-array: the same in brackets
#   text     uint8 data and int64 offsets (N + 1,), as it is
#   string   the same, as a JSON string with quotes and escapes
#   members  the same, JSON objects of which the members are written, without braces; "" and {} count as absent
# index (rows,), int32: row i shows value index[i]. present (rows,), bool: which rows have a value.
_Column: TypeAlias = tuple[str, npt.NDArray[Any], _I64 | None, _I32 | None, _Bool | None]

def format_rows(
    literals: list[bytes], columns: list[_Column], rows: int, separator: bytes = b",", threads: int = 0
) -> tuple[_U8, _I64]:
    """Text of rows and their offsets: literal, column, literal, column, ..., literal.

    Where a row has no value of a column, the literal before it is left out too.
    """

def join_texts(
    data: _U8, offsets: _I64, groups: _I64, open: bytes, separator: bytes, close: bytes, threads: int = 0
) -> tuple[_U8, _I64]:
    """One text for each group of consecutive texts groups[g]:groups[g+1]: open, texts with separators, close."""
