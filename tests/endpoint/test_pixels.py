"""Images are decoded within limits, and written as the nested lists that endpoints take."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from rapideval.endpoint.pixels import decode_image, dense_json, image_json, image_size, raw_image
from rapideval.errors import FormatError


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_that_says(width, height):
    """A PNG of some bytes that decodes to any number of pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3))))
def test_an_image_is_the_same_after_a_trip_through_json(image):
    assert np.array_equal(raw_image(json.loads(image_json(image)), "a"), image)


@given(arrays(np.bool_, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)))
def test_masks_are_written_as_nested_lists(mask):
    text = dense_json(mask)
    assert json.loads(text) == mask.astype(int).tolist()
    assert b" " not in text


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I", "I;16", "F"])
def test_every_mode_becomes_rgb(mode, tmp_path):
    grey = Image.fromarray(np.array([[0, 128], [255, 64]], np.uint8))
    if mode in ("I", "I;16"):
        image = Image.fromarray(
            (np.array([[0, 128], [255, 64]]) * 257).astype(np.uint16 if mode == "I;16" else np.int32)
        )
    else:
        image = grey.convert(mode)
    pixels = decode_image(encoded(image, "TIFF"), "a.tif")
    assert pixels.dtype == np.uint8
    assert pixels.shape == (2, 2, 3)
    assert pixels.flags.c_contiguous
    if mode != "1":
        assert np.abs(pixels.astype(int) - np.asarray(grey)[..., None]).max() <= 1


def test_pixels_are_those_that_are_stored_whatever_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate to show
    data = encoded(Image.new("RGB", (4, 2)), "JPEG", exif=exif)
    assert decode_image(data, "a.jpg").shape == (2, 4, 3)
    assert image_size(data, "a.jpg") == (2, 4)


def test_an_image_that_decodes_to_a_billion_pixels_is_refused_from_its_header():
    with pytest.raises(FormatError, match="pixels") as caught:
        decode_image(png_that_says(40_000, 25_000), "bomb.png")
    assert caught.value.rule == "image-pixels"
    with pytest.raises(FormatError, match="100 × 100 = 10,000 pixels"):
        decode_image(encoded(Image.new("L", (100, 100))), "a.png", max_pixels=9_999)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"<svg/>", b"%PDF-1.4", png_that_says(90, 90), b"\xff\xd8\xff\xe0" + bytes(20)]
)
def test_what_is_no_image_is_refused(data):
    with pytest.raises(FormatError) as caught:
        decode_image(data, "upload")
    assert caught.value.rule == "image-format"


@given(st.binary(max_size=64), st.integers(0, 200))
def test_a_damaged_image_is_decoded_or_refused(noise, place):
    data = bytearray(encoded(Image.new("RGB", (9, 7), (200, 100, 50))))
    data[place : place + len(noise)] = noise
    with contextlib.suppress(FormatError):
        decode_image(bytes(data), "a.png", max_pixels=10_000)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([], "shape"),
        ([[1, 2, 3]], "shape"),
        ([[[1, 2]]], "shape"),
        ([[[1, 2, 3]], [[1, 2, 3], [1, 2, 3]]], "uneven"),
        ([[[1.5, 2, 3]]], "fractions"),
        ([[["1", "2", "3"]]], "text"),
        ([[[None, 2, 3]]], "other things"),
        ([[[True, False, True]]], "booleans"),
        ([[[0, 0, 256]]], "0 to 256"),
        ([[[-1, 0, 0]]], "-1 to 0"),
    ],
)
def test_a_raw_image_that_is_none_is_refused(value, found):
    with pytest.raises(FormatError, match=found) as caught:
        raw_image(value, "images[0]")
    assert caught.value.rule == "image-raw"
