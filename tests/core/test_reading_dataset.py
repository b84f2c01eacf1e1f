"""COCO datasets become columns: images, categories, annotations, and all other members as they are written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.coco_text import others, rows, written
from hypothesis import given
from hypothesis import strategies as st

from rapideval import _core

words = st.text(max_size=6).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
number_ids = st.integers(-(2**63), 2**63 - 1)


def table(ids, **members):
    """Rows with an id and any of the members."""
    row = st.fixed_dictionaries({"id": ids}, optional=members).flatmap(
        lambda row: others.map(lambda more: {**more, **row})
    )
    return st.lists(row, max_size=8)


sizes = st.one_of(st.integers(0, 10**6), st.none())
images = st.one_of(
    *(table(ids, width=sizes, height=sizes, file_name=st.one_of(words, st.none())) for ids in (number_ids, words))
)
categories = table(number_ids, name=words, supercategory=words)
datasets = st.fixed_dictionaries(
    {},
    optional={
        "images": images,
        "categories": categories,
        "annotations": rows(),
        "info": st.dictionaries(words, st.integers(), max_size=2),
        "licenses": st.lists(st.fixed_dictionaries({"id": st.integers(), "name": words}), max_size=2),
        "x},{y": st.just([{"id": 1}, {"id": 2}]),
    },
)


def texts(column):
    data = column["data"].tobytes()
    return [data[a:b].decode() for a, b in zip(column["offsets"], column["offsets"][1:], strict=False)]


def as_rows(columns, names):
    """The rows again, as a plain reader would have given them."""
    extras = texts(columns["extras"])
    result = []
    for i in range(columns["rows"]):
        row = json.loads(extras[i]) if extras[i] else {}
        for name in names:
            present = columns["present"][name]
            if present is True or (present is not False and present[i]):
                column = columns[name]
                row[name] = texts(column)[i] if isinstance(column, dict) else column[i].item()
        result.append(row)
    return result


@given(datasets, st.integers(0, 10**6), st.integers(0, 200))
def test_every_member_comes_back(document, seed, chunk_bytes):
    result = _core.read_coco_dataset(written(document, seed), extras=True, threads=2, chunk_bytes=chunk_bytes)
    assert result["problems"] == []
    for member, names in {
        "images": ("id", "width", "height", "file_name"),
        "categories": ("id", "name", "supercategory"),
    }.items():
        if member not in document:
            assert result[member] is None
            continue
        plain = [{k: v for k, v in row.items() if k not in names or v is not None} for row in document[member]]
        assert as_rows(result[member], names) == plain
    assert (result["annotations"] is None) == ("annotations" not in document)
    if "annotations" in document:
        assert result["annotations"]["rows"] == len(document["annotations"])
    rest = {k: v for k, v in document.items() if k not in ("images", "categories", "annotations")}
    assert {name: json.loads(text) for name, text in result["top"].items()} == rest


@pytest.mark.parametrize(
    ("text", "rule", "path"),
    [
        ('{"images":{}}', "coco-shape", "$.images"),
        ('{"annotations":null}', "coco-shape", "$.annotations"),
        ("[]", "coco-shape", "$"),
        ("7", "coco-shape", "$"),
        ('{"images":[],"images":[]}', "json-duplicate-key", "$.images"),
        ('{"\\ud800":1}', "json-surrogate", '$["\\ud800"]'),
        ('{"images":[{"id":1,"id":2}]}', "json-duplicate-key", "$.images[0].id"),
        ('{"images":[{"id":1},{"x":2,"y":1,"\\u0078":2}]}', "json-duplicate-key", '$.images[1]["\\u0078"]'),
    ],
)
def test_a_document_of_another_shape_is_refused(text, rule, path):
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_dataset(text.encode())
    assert (caught.value.rule, caught.value.path) == (rule, path)


@pytest.mark.parametrize(
    ("text", "rule", "path"),
    [
        ('{"images":[{"id":1,"width":"640"}]}', "coco-size", "$.images[0].width"),
        ('{"images":[{"id":1,"height":6.5}]}', "coco-size", "$.images[0].height"),
        ('{"images":[{"id":1,"file_name":7}]}', "coco-text", "$.images[0].file_name"),
        ('{"images":[{"id":1,"file_name":"a\\udce9.jpg"}]}', "json-surrogate", "$.images[0].file_name"),
        ('{"images":[{"id":true}]}', "coco-id", "$.images[0].id"),
        ('{"images":[{"id":1},{"id":"1"}]}', "coco-id-mixed", "$.images[1].id"),
        ('{"images":[{"id":"1"},{"id":1}]}', "coco-id-mixed", "$.images[1].id"),
        ('{"categories":[{"id":1,"name":["a"]}]}', "coco-text", "$.categories[0].name"),
        ('{"categories":[{"id":1,"supercategory":0}]}', "coco-text", "$.categories[0].supercategory"),
        ('{"annotations":[{"score":"1"}]}', "coco-number", "$.annotations[0].score"),
    ],
)
def test_a_value_of_another_shape_is_a_problem(text, rule, path):
    (problem,) = _core.read_coco_dataset(text.encode())["problems"]
    assert (problem.rule, problem.path) == (rule, path)


def test_a_file_is_read_as_its_text_is(tmp_path):
    document = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(3000)],
        "annotations": [
            {"id": i, "image_id": i // 9, "category_id": 1, "bbox": [i, i / 7, 2, 3]} for i in range(20_000)
        ],
        "categories": [{"id": 1, "name": "\u00e9"}],
    }
    path = tmp_path / "d\u00e9j\u00e0.json"
    path.write_text(json.dumps(document, indent=1))
    for threads in (1, 2):
        result = _core.read_coco_dataset(str(path), threads=threads, chunk_bytes=50_000)
        bbox = result["annotations"]["bbox"]
        np.testing.assert_array_equal(bbox, [row["bbox"] for row in document["annotations"]])
        assert texts(result["images"]["file_name"]) == [row["file_name"] for row in document["images"]]


@pytest.mark.parametrize(("name", "error"), [("absent.json", FileNotFoundError), ("", IsADirectoryError)])
def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path, name, error):
    with pytest.raises(error):
        _core.read_coco_dataset(str(tmp_path / name))


def test_an_empty_file_is_an_empty_text(tmp_path):
    path = tmp_path / "empty.json"
    path.touch()
    with pytest.raises(_core.CoreError) as caught:
        _core.read_coco_results(str(path))
    assert caught.value.rule == "json-empty"


def test_real_files_are_read_as_json_reads_them(shared_data):
    paths = sorted(shared_data.glob("coco-val2014-100/*.json"))
    assert paths
    for path in paths:
        document = json.loads(path.read_bytes())
        if isinstance(document, dict):
            result = _core.read_coco_dataset(str(path))
            rows_of, plain = result["annotations"], document["annotations"]
        else:
            result = _core.read_coco_results(str(path))
            rows_of, plain = result["annotations"], document
        # One of the files names some images by text and some by number.
        mixed = len({type(row["image_id"]) for row in plain}) > 1
        assert [problem.rule for problem in result["problems"]] == ["coco-id-mixed"] * mixed
        assert rows_of["rows"] == len(plain)
        for name in ("image_id", "category_id", "id", "bbox", "score", "area"):
            if rows_of["present"][name] is True and not mixed:
                np.testing.assert_array_equal(rows_of[name], [row[name] for row in plain])
