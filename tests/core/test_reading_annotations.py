"""COCO results become columns: every value of every row, in whatever way it is written, for any number of threads."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from helpers.coco_text import rows, written
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from rapideval import _core

KNOWN = ("image_id", "category_id", "id", "bbox", "score", "area", "iscrowd", "segmentation")


def texts(column):
    data = column["data"].tobytes()
    return [data[a:b].decode() for a, b in zip(column["offsets"], column["offsets"][1:], strict=False)]


def unpack(columns):
    """The rows again, as Python objects: what a plain reader would have given."""
    result = []
    n = columns["rows"]
    extras = texts(columns["extras"]) if columns["extras"] is not None else [""] * n
    for i in range(n):
        row = {}
        for name in KNOWN:
            present = columns["present"][name]
            if present is True or (present is not False and present[i]):
                row[name] = value_of(columns, name, i)
        row |= json.loads(extras[i]) if extras[i] else {}
        result.append(row)
    return result


def value_of(columns, name, i):
    column = columns[name]
    if name == "segmentation":
        return segmentation_of(column, i)
    if isinstance(column, dict):
        return texts(column)[i]
    return column[i].tolist()


def segmentation_of(column, i):
    kind = column["kind"][i]
    if kind in (0, 1):
        rings = range(column["row_offsets"][i], column["row_offsets"][i + 1])
        offsets = column["ring_offsets"]
        return [column["coordinates"][offsets[r] : offsets[r + 1]].ravel().tolist() for r in rings]
    counts = column["counts"][column["offsets"][i] : column["offsets"][i + 1]].tolist()
    size = column["sizes"][i].tolist()
    if kind == 3:
        counts = coco_mask.frPyObjects({"size": size, "counts": counts}, *size)["counts"].decode()
    return {"size": size, "counts": counts}


def without_nulls(row):
    return {k: v for k, v in row.items() if not (k in KNOWN and v is None)}


def same(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return (
            a == b and math.copysign(1, a) == math.copysign(1, b) if a == 0 == b and isinstance(a, type(b)) else a == b
        )
    return a == b


@given(rows(), st.integers(0, 10**6))
def test_every_value_comes_back(document, seed):
    result = _core.read_coco_results(written(document, seed), extras=True)
    assert result["problems"] == []
    assert same(unpack(result["annotations"]), [without_nulls(row) for row in document])
    nulls = result["annotations"]["nulls"]
    assert nulls == {k: n for k in KNOWN if (n := sum(k in row and row[k] is None for row in document))}


@given(rows(text_ids=True), st.integers(0, 10**6))
def test_ids_may_be_text(document, seed):
    result = _core.read_coco_results(written(document, seed), extras=True)
    assert result["problems"] == []
    assert same(unpack(result["annotations"]), [without_nulls(row) for row in document])


def assert_same_columns(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            assert_same_columns(a[name], b[name])
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, list):
        assert [(p.rule, p.path, p.line, p.offset, p.row, p.found) for p in a] == [
            (p.rule, p.path, p.line, p.offset, p.row, p.found) for p in b
        ]
    else:
        assert a == b


@given(rows(max_size=30), st.integers(0, 10**6), st.integers(1, 400), st.integers(2, 4))
def test_the_same_bits_however_the_text_is_cut(document, seed, chunk_bytes, threads):
    text = written(document, seed)
    whole = _core.read_coco_results(text, extras=True, threads=1)
    assert_same_columns(_core.read_coco_results(text, extras=True, threads=threads, chunk_bytes=chunk_bytes), whole)
    assert_same_columns(_core.read_coco_results(text, extras=True, threads=1, chunk_bytes=chunk_bytes), whole)


TRAPS = [
    # what looks like a border between two rows stands inside text, nested lists, nested objects
    [{"image_id": i, "x": '},{"image_id":7},{"image_id":8', "score": i / 7} for i in range(9)],
    [{"a": [{"image_id": 1}, {"image_id": 2}, {"image_id": 3}], "image_id": i, "bbox": [i, 2, 3, 4]} for i in range(9)],
    [{"image_id": i, "x": {"y": [{}, {}, {}, {"z": [{}, {}]}]}} for i in range(9)],
    [{"image_id": i, "x": '\\"},{\\"', "y": "]},{[", "z": "},{" * 30} for i in range(5)],
    [{"a": [[{"image_id": 1}], {"b": 1}, {"c": "]}]},{"}], "image_id": i} for i in range(9)],
    [5, "},{", [{"a": 1}, {"b": 2}], {"image_id": 1}, None, {"image_id": 2}],
    [{"image_id": i, "bbox": [1, 2, 3]} if i % 3 else {"image_id": "t", "score": "},{"} for i in range(12)],
]


@pytest.mark.parametrize("document", TRAPS, ids=range(len(TRAPS)))
@pytest.mark.parametrize("indent", [None, 1])
def test_borders_that_are_none_are_not_believed(document, indent):
    text = json.dumps(document, indent=indent).encode()
    whole = _core.read_coco_results(text, extras=True, threads=1)
    for chunk_bytes in range(1, len(text) + 2):
        cut = _core.read_coco_results(text, extras=True, threads=2, chunk_bytes=chunk_bytes)
        assert_same_columns(cut, whole)


@pytest.mark.parametrize("document", TRAPS[:5], ids=range(5))
def test_an_error_is_the_same_error_however_the_text_is_cut(document):
    text = json.dumps(document).encode()
    for at in range(1, len(text), 7):
        broken = text[:at] + b"\x01" + text[at + 1 :]
        errors = set()
        for threads, chunk_bytes in [(1, 0), (2, 1), (2, 16), (3, 50)]:
            try:
                _core.read_coco_results(broken, threads=threads, chunk_bytes=chunk_bytes)
                errors.add(None)
            except _core.CoreError as error:
                errors.add((error.rule, error.offset, error.line, error.path))
        assert len(errors) == 1


def test_problems_are_counted_and_the_first_are_listed():
    document = [{"image_id": i, "score": "high"} for i in range(1000)]
    for threads in (1, 2):
        result = _core.read_coco_results(
            json.dumps(document).encode(), max_problems=7, threads=threads, chunk_bytes=500
        )
        assert result["problem_count"] == 1000
        assert [problem.path for problem in result["problems"]] == [f"$[{i}].score" for i in range(7)]


RUNS, BOTH = "runs of 0 to 2^32 - 1 pixels", "run-lengths with size and counts"
POINTS = "x, y of at least 3 points"
WRONG_ROWS = [
    ('{"bbox":[1,2,3]}', "coco-bbox", ".bbox", "a list of 3 numbers", "x, y, width, height"),
    ('{"bbox":[1,2,3,4,5]}', "coco-bbox", ".bbox", "a list of 5 numbers", "x, y, width, height"),
    ('{"bbox":[]}', "coco-bbox", ".bbox", "a list of 0 numbers", "x, y, width, height"),
    ('{"bbox":[1,2,"3",4]}', "coco-bbox", ".bbox[2]", '"3"', "a finite number"),
    ('{"bbox":[1,2,3,1e400]}', "coco-bbox", ".bbox[3]", "1e400", "a finite number"),
    ('{"bbox":{"x":1}}', "coco-bbox", ".bbox", "an object", "a list of x, y, width, height"),
    ('{"score":"0.5"}', "coco-number", ".score", '"0.5"', "a number"),
    ('{"score":true}', "coco-number", ".score", "true", "a number"),
    ('{"area":-1e999}', "coco-number", ".area", "-1e999", "a number within the range of a double"),
    ('{"iscrowd":2}', "coco-iscrowd", ".iscrowd", "2", "0 or 1"),
    ('{"iscrowd":"0"}', "coco-iscrowd", ".iscrowd", '"0"', "0 or 1"),
    ('{"image_id":1.5}', "coco-id", ".image_id", "1.5", "an integer of 64 bits, or text"),
    ('{"image_id":null}', "coco-id", ".image_id", "null", "an integer of 64 bits, or text"),
    ('{"image_id":"a"}', "coco-id-mixed", ".image_id", "text", "an integer, as in the rows before"),
    (r'{"category_id":"\udc80"}', "json-surrogate", ".category_id", r'"\udc80"', "whole surrogate pairs"),
    ("[1]", "coco-object", "", "a list", "an object"),
]  # fmt: skip
WRONG_MASKS = [
    ("[1,2,3,4,5,6]", "coco-polygon", "[0]", "1", "a list of coordinates"),
    ("[[1,2,3,4]]", "coco-polygon", "[0]", "4 numbers", POINTS),
    ("[[1,2,3,4,5,6,7]]", "coco-polygon", "[0]", "7 numbers", POINTS),
    ("[[1,2,3,4,5,6],[]]", "coco-polygon", "[1]", "0 numbers", POINTS),
    ("[[1,2,3,4,5,null]]", "coco-polygon", "[0][5]", "null", "a finite number"),
    ('"abc"', "coco-rle", "", '"abc"', "polygons or run-lengths"),
    ("7", "coco-polygon", "", "7", "polygons or run-lengths"),
    ("{}", "coco-rle", "", "neither size nor counts", BOTH),
    ('{"size":[2,2]}', "coco-rle", "", "no counts", BOTH),
    ('{"size":[2,2],"counts":[4],"x":1}', "coco-rle", "", 'the member "x"', "size and counts only"),
    ('{"size":[2],"counts":[4]}', "rle-size", ".size", "a list", "a list of height and width"),
    ('{"size":[2,-2],"counts":[4]}', "rle-size", ".size", "a list", "a list of height and width"),
    ('{"size":[65536,65536],"counts":[4]}', "mask-size", ".size", "65536 x 65536", "fewer than 2^32 pixels"),
    ('{"size":[4294967296,1],"counts":[4]}', "mask-size", ".size", "4294967296 x 1", "fewer than 2^32 pixels"),
    ('{"counts":[3],"size":[2,2]}', "rle-sum", ".counts", "runs that sum to 3", "4, the pixels of 2 x 2"),
    ('{"counts":[4,-1,1],"size":[2,2]}', "coco-rle", ".counts[1]", "-1", RUNS),
    ('{"counts":[1000000000000],"size":[2,2]}', "coco-rle", ".counts[0]", "1000000000000", RUNS),
    ('{"counts":[1.5],"size":[2,2]}', "coco-rle", ".counts[0]", "1.5", RUNS),
    ('{"counts":7,"size":[2,2]}', "coco-rle", ".counts", "7", "text or a list of runs"),
    ('{"counts":"4T","size":[2,2]}', "rle-string", ".counts", "a string that ends inside a number", None),
    ('{"counts":"1!","size":[2,2]}', "rle-string", ".counts", "byte 33", "characters from '0' to 'o' only"),
    ('{"size":[2,2],"counts":"O5"}', "rle-string", ".counts", "a run of -1", "0 to 2^32 - 1"),
    ('{"size":[2,2],"counts":"00"}', "rle-sum", ".counts", "runs that sum to 0", None),
]  # fmt: skip


def assert_problem(row, rule, path, found, expected):
    text = f'[{{"image_id":1,"category_id":1}},\n{row}]'.encode()
    for size, threads in ((0, 1), (1, 2)):
        result = _core.read_coco_results(text, threads=threads, chunk_bytes=size)
        (problem,) = result["problems"]
        assert (problem.rule, problem.path, problem.found) == (rule, f"$[1]{path}", found)
        assert problem.expected == expected or expected is None
        assert problem.row == 1
        assert result["annotations"]["rows"] == 2
        if rule != "coco-id-mixed":
            assert problem.line == 2
            present = result["annotations"]["present"].values()
            assert not any(have is True or (have is not False and have[1]) for have in present)


@pytest.mark.parametrize(("row", "rule", "path", "found", "expected"), WRONG_ROWS)
def test_each_wrong_shape_is_a_problem_and_the_row_has_no_such_value(row, rule, path, found, expected):
    assert_problem(row, rule, path, found, expected)


@pytest.mark.parametrize(("mask", "rule", "path", "found", "expected"), WRONG_MASKS)
def test_each_wrong_mask_is_a_problem_and_the_row_has_none(mask, rule, path, found, expected):
    assert_problem(f'{{"segmentation":{mask}}}', rule, f".segmentation{path}", found, expected)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=60), st.booleans())
def test_compressed_runs_of_any_length_come_back(counts, escaped):
    total = 0
    kept = []
    for count in counts:
        if total + count >= 2**32:
            break
        kept.append(count)
        total += count
    if not kept:
        return
    text, _ = _core.rle_to_strings(np.array(kept, np.uint32), np.array([0, len(kept)]))
    string = "".join(f"\\u{byte:04x}" for byte in text) if escaped else json.dumps(text.decode())[1:-1]
    document = f'[{{"segmentation":{{"counts":"{string}","size":[{total},1]}}}}]'
    result = _core.read_coco_results(document.encode())
    assert result["problems"] == []
    assert result["annotations"]["segmentation"]["counts"].tolist() == kept


def test_nothing_is_allocated_for_sizes_that_are_only_claimed():
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    large = '{"segmentation":{"size":[65536,65535],"counts":[4294901760]}}'
    _core.read_coco_results(f"[{large},{large}]".encode())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_an_empty_list_has_no_columns():
    columns = _core.read_coco_results(b" [ ] ", extras=True)["annotations"]
    assert columns["rows"] == 0
    assert all(columns[name] is None for name in KNOWN)
    assert not any(columns["present"].values())


def test_a_dataset_is_not_taken_for_results():
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_results(b'{"images": [], "annotations": []}')
    assert caught.value.rule == "coco-shape"
    assert "dataset" in caught.value.hint
