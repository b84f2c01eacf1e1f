"""Whatever the bytes, parsing gives an answer or an InputError: never another error, never a hang, never a fetch."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval.errors import InputError
from rapideval.payloads import SERVICES, parse

FIXTURES = Path(__file__).parents[2] / "fixtures" / "payloads"
SMALL = ["E01-v0.json", "E04-v1-async-text.json", "P03-both.json", "P09-semantic-text.json", "P16-mapping.json"]
SAMPLES = sorted(path for folder in ("accepted", "services") for path in (FIXTURES / folder).glob("*.json*"))
KEYS = ["state", "status", "result", "results", "task_id", "boxes", "masks", "scores", "labels", "predictions"]
KEYS += ["semantic_segmentation_mask", "images", "outputs", "name", "shape", "data", "label", "box", "mask", "type"]
KEYS += ["geometry", "x", "y", "width", "height", "size", "counts", "prediction", "CustomLabels", "detail", "error"]

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 300),
    st.floats(),
    st.sampled_from(["", "SUCCESS", "PENDING", "[[0,1]]", "[", '{"boxes": []}', "iVBORw0KGgo=", "https://a/b", "box"]),
    st.text(max_size=4),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=3)), inner)
    ),
    max_leaves=20,
)


def parsed(source, **options):
    try:
        return parse(source, **options)
    except InputError as error:
        return error


@pytest.mark.parametrize("name", SMALL)
def test_truncated_at_every_byte_is_refused(name):
    data = (FIXTURES / "accepted" / name).read_bytes().rstrip()
    for length in range(len(data)):
        with pytest.raises(InputError):
            parse(data[:length])


@pytest.mark.parametrize("name", SMALL)
def test_truncated_within_the_result_is_refused(name):
    data = (FIXTURES / "accepted" / name).read_text().rstrip()
    for length in range(len(data)):
        with pytest.raises(InputError):
            parse({"state": "SUCCESS", "result": data[:length]})


@given(st.sampled_from(SAMPLES), st.data())
def test_damaged_bytes_give_an_answer_or_an_input_error(path, data):
    text = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    parsed(bytes(text), lenient=data.draw(st.booleans()), images=["a.jpg"], sizes=(10, 10))


@given(st.binary(max_size=40))
def test_any_bytes(data):
    parsed(data)
    parsed(data, lenient=True)


@given(values)
def test_any_objects(value):
    parsed(value, class_masks=True)
    parsed(json.dumps(value).encode())


@given(values, st.sampled_from(sorted(SERVICES)))
def test_any_objects_as_any_service(value, service):
    parsed(value, payload=service, sizes=(4, 4), labels=["a", "b"])


@given(st.sampled_from(SAMPLES), st.data())
def test_a_value_replaced_anywhere(path, data):
    if path.suffix != ".json" or path.name.startswith("lenient"):
        return
    tree = json.loads(path.read_text("utf-8-sig"))
    node = tree
    while True:
        steps = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        if not steps:
            break
        step = data.draw(st.sampled_from(steps))
        if not isinstance(node[step], (dict, list)) or data.draw(st.integers(0, 3)) == 0:
            node[step] = data.draw(values)
            break
        node = node[step]
    parsed(tree, images=["a.jpg"], sizes=(10, 10), labels={"0": "a", "1": "b"})


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'[{"masks":' + b"[" * 100_000])
def test_deep_nesting_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.rule in ("M11", "M4")


def test_deep_objects_are_refused():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InputError, match="M11"):
        parse(deep)


def test_a_huge_picture_is_refused_before_it_is_decoded():
    import base64
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    masks = {"masks": [base64.b64encode(bomb).decode()], "scores": [0.5], "labels": ["a"]}
    with pytest.raises(InputError, match="100,000 x 100,000 pixels"):
        parse([masks])


def test_nothing_is_fetched(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("an address was looked up")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for source in (
        {"state": "SUCCESS", "result_url": "https://bucket.example/x"},
        [{"masks": ["https://bucket.example/m.png"], "scores": [0.5], "labels": ["a"]}],
    ):
        assert isinstance(parsed(source), InputError)


def test_a_pickle_is_not_opened(tmp_path):
    import pickle

    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "opened",)

    error = parsed(pickle.dumps(Bomb()))
    assert "a pickle is never opened" in str(error)
    assert not (tmp_path / "opened").exists()


def test_all_problems_are_counted_and_the_first_are_listed():
    payload = [{"boxes": [[1, 2, 3, None]] * 500, "scores": [7] * 500, "labels": [None] * 500}]
    with pytest.raises(InputError) as caught:
        parse(payload, max_problems=30)
    assert caught.value.total == 1500
    assert len(caught.value.problems) == 30


def test_problems_of_several_images_are_told_together():
    payload = [{"boxes": [[1, 2, 3]], "scores": [0.5], "labels": ["a"]}, {"scores": [0.5]}, 7]
    with pytest.raises(InputError) as caught:
        parse(payload)
    assert [problem.rule for problem in caught.value.problems] == ["M26", "M25", "M21"]
    assert [problem.where for problem in caught.value.problems] == [
        "answer: $[0].boxes[0]",
        "answer: $[1]",
        "answer: $[2]",
    ]


def test_keys_and_authorisation_are_not_repeated():
    secret = "live_0123456789abcdef"
    source = {"state": "FAILURE", "traceback": f"401: Authorization: Basic {secret}==\nkey {secret}"}
    task = parse(source).tasks[0]
    assert secret not in f"{task.detail}{task.traceback}"
    error = parsed([{"boxes": [[1, 2, 3, secret]], "scores": [0.5], "labels": ["a"]}])
    assert secret not in str(error)
    assert "live_***" in str(error)


@pytest.mark.parametrize(
    ("side", "far", "rule"), [(100, 1e300, "polygon-range"), (100, 1e9, "polygon-range"), (2**32 - 1, 5, "mask-size")]
)
def test_outlines_that_would_fill_the_memory_are_refused_where_they_are(side, far, rule):
    box = {"x": 1, "y": 1, "width": 1, "height": 1, "confidence": 0.5, "class": "a"}
    points = [{"x": 0, "y": 0}, {"x": far, "y": 0}, {"x": far, "y": far}]
    with pytest.raises(InputError) as caught:
        parse({"image": {"width": side, "height": side}, "predictions": [box, box | {"points": points}]})
    assert (caught.value.rule, caught.value.problems[0].where) == (rule, "answer: $.predictions[1]")
