"""The parts: redaction, places, types, the drawing of box masks."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval.payloads import redact, unsigned_url
from rapideval.payloads.places import Place, show
from rapideval.payloads.tf_serving import reframe
from rapideval.payloads.types import DOCUMENTS, ResultEnvelope, V1Envelope

FIXTURES = Path(__file__).parents[2] / "fixtures" / "payloads" / "accepted"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key live_0123456789abcdef.", "key live_***."),
        ("test_abc123def456", "test_***"),
        ("LaunchClient(api_key='live_a1b2c3d4e5')", "LaunchClient(api_key='live_***')"),
        ("Authorization: Basic bGl2ZV8wOg==", "Authorization: ***"),
        ("{'Authorization': 'Bearer abc.def-123'}", "{'Authorization': '***'}"),
        ("sent Bearer abcdef0123 to", "sent Bearer *** to"),
        ("test_predictions.json, live_stream, test_images", "test_predictions.json, live_stream, test_images"),
        ("a basic model", "a basic model"),
    ],
)
def test_keys_and_credentials_are_taken_out(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:secret@host/a.jpg", "https://host/a.jpg"),
        ("https://h/a.jpg?sv=2020&sig=abc%3D&page=2", "https://h/a.jpg?page=2"),
        ("https://h/a.jpg?X-Goog-Signature=1&X-Goog-Date=2", "https://h/a.jpg"),
        ("https://h/a.jpg?id=1&id=2", "https://h/a.jpg?id=1&id=2"),
        ("https://h/a.jpg?st=5", "https://h/a.jpg?st=5"),
        ("s3://bucket/a b.jpg", "s3://bucket/a b.jpg"),
        ("a/b.jpg?sig=1", "a/b.jpg?sig=1"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_addresses_lose_what_signs_them(url, bare):
    assert unsigned_url(url) == bare


def test_places_are_written_as_paths():
    place = Place("a.json")["result"].inside()[0]["boxes"][3]["odd key"]
    assert str(place) == 'a.json: $.result -> $[0].boxes[3]["odd key"]'
    assert place.layers == 1
    assert str(Place("a.json")["live_0123456789abcdef"]) == "a.json: $.live_***"
    assert len(str(Place("a.json")["k" * 500])) < 100


def test_values_are_shown_short():
    assert show("x" * 500).endswith('…" of 500 characters')
    assert show([1, 2]) == "an array of 2"
    assert show(float("nan")) == "NaN"
    assert len(show(10**400)) == 60


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("E01-v0.json", ResultEnvelope),
        ("E10-pending.json", ResultEnvelope),
        ("E11-failure-v0.json", ResultEnvelope),
        ("E04-v1-async-text.json", V1Envelope),
        ("P03-both.json", DOCUMENTS["result-payload"]),
        ("P18-rle-text.json", DOCUMENTS["result-payload"]),
    ],
)
def test_documented_documents_fit_their_types(name, kind):
    msgspec.json.decode((FIXTURES / name).read_bytes(), type=kind, strict=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_type_has_a_schema(name):
    schema = msgspec.json.schema(DOCUMENTS[name])
    assert json.loads(json.dumps(schema)) == schema


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.data())
def test_box_masks_are_drawn_as_crop_and_resize_samples_them(mask_height, mask_width, height, width, data):
    values = data.draw(
        st.lists(st.integers(0, 8), min_size=mask_height * mask_width, max_size=mask_height * mask_width)
    )
    mask = np.array(values, np.float64).reshape(mask_height, mask_width) / 8
    corners = (
        sorted(data.draw(st.tuples(*[st.integers(0, 8)] * 2))),
        sorted(data.draw(st.tuples(*[st.integers(0, 8)] * 2))),
    )
    box = np.array([corners[0][0], corners[1][0], corners[0][1], corners[1][1]]) / 8
    drawn = reframe(mask, box, height, width)
    for row in range(height):
        for column in range(width):
            y = _sample(box[0], box[2], mask_height, height, row)
            x = _sample(box[1], box[3], mask_width, width, column)
            assert drawn[row, column] == pytest.approx(_bilinear(mask, y, x))


def _sample(low, high, length, count, index):
    """Place in the mask that pixel `index` of `count` samples, as tf.image.crop_and_resize defines it."""
    extent = high - low or 1
    start, end = -low / extent, (1 - low) / extent
    if count == 1:
        return 0.5 * (start + end) * (length - 1)
    return start * (length - 1) + index * ((end - start) * (length - 1) / (count - 1))


def _bilinear(mask, y, x):
    height, width = mask.shape
    if y < 0 or y > height - 1 or x < 0 or x > width - 1:
        return 0.0
    top, left, bottom, right = int(np.floor(y)), int(np.floor(x)), int(np.ceil(y)), int(np.ceil(x))
    upper = mask[top, left] + (mask[top, right] - mask[top, left]) * (x - left)
    lower = mask[bottom, left] + (mask[bottom, right] - mask[bottom, left]) * (x - left)
    return upper + (lower - upper) * (y - top)
