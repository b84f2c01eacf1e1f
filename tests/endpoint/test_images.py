"""Images are found in folders, lists, COCO files and among URLs, lazily and in order."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from rapideval.endpoint.images import ImageInput, find_images
from rapideval.errors import InputError, UsageError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jpg", "a b.PNG", "deep/c.tif", ".hidden/d.jpg", "notes.txt"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".txt":
            path.write_text("")
        else:
            Image.new("RGB", (2, 2)).save(path)
    return tmp_path / "images"


def keys(*sources, **options):
    return [(image.key, image.url) for image in find_images(sources, **options)]


def test_a_folder_is_searched_at_any_depth_in_order(folder):
    assert keys(folder) == [("a b.PNG", None), ("b.jpg", None), ("deep/c.tif", None)]
    assert keys(str(folder), url_prefix="https://h/x/") == [
        ("a b.PNG", "https://h/x/a%20b.PNG"),
        ("b.jpg", "https://h/x/b.jpg"),
        ("deep/c.tif", "https://h/x/deep/c.tif"),
    ]
    assert keys(folder, url_prefix="s3://bucket/")[0] == ("a b.PNG", "s3://bucket/a b.PNG")


def test_a_list_holds_urls_and_paths(folder, monkeypatch):
    path = folder.parent / "list.txt"
    path.write_text("\ufeff# a comment\n\nhttps://h/a.jpg?X-Amz-Signature=abc&v=1\ns3://bucket/b.jpg\nimages/b.jpg\n")
    expected = [
        ("https://h/a.jpg?v=1", "https://h/a.jpg?X-Amz-Signature=abc&v=1"),
        ("s3://bucket/b.jpg", "s3://bucket/b.jpg"),
        ("images/b.jpg", None),
    ]
    assert keys(path) == expected
    monkeypatch.setattr("sys.stdin", io.StringIO("https://h/a.jpg\n"))
    assert keys("-") == [("https://h/a.jpg", "https://h/a.jpg")]


def test_a_coco_file_names_images_by_file_or_url(folder):
    path = folder / "coco.json"
    images = [{"id": 1, "file_name": "b.jpg", "coco_url": "https://h/b.jpg"}, {"id": 2, "file_name": "deep/c.tif"}]
    path.write_text(json.dumps({"images": images, "annotations": []}))
    assert keys(path) == [("b.jpg", "https://h/b.jpg"), ("deep/c.tif", None)]
    assert keys(path, folder=folder) == [("b.jpg", None), ("deep/c.tif", None)]
    assert keys(path, url_prefix="https://h/") == [("b.jpg", "https://h/b.jpg"), ("deep/c.tif", "https://h/deep/c.tif")]


def test_arrays_and_inputs_are_taken_as_they_are():
    pixels = np.zeros((2, 3, 3), np.uint8)
    image = ImageInput("x", url="https://h/x")
    assert keys({"a": pixels}, image) == [("a", None), ("x", "https://h/x")]
    first, second = (next(find_images({"a": array})) for array in (pixels, pixels + 1))
    assert first.stamp() != second.stamp()
    for wrong in (pixels[..., 0], pixels.astype(float), pixels[:0]):
        with pytest.raises(UsageError, match="expected uint8"):
            list(find_images({"a": wrong}))


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("empty.txt", "", "no-images"),
        ("list.txt", "ftp://h/a.jpg", "image-url"),
        ("list.txt", "nowhere.jpg", "image-missing"),
        ("coco.json", "{", "no-images"),
        ("coco.json", "[]", "no-images"),
        ("coco.json", '{"images": []}', "no-images"),
        ("coco.json", '{"images": [{"id": 1}]}', "image-name"),
        ("coco.json", '{"images": [{"file_name": "nowhere.jpg"}]}', "image-missing"),
        ("data.bin", b"\xff\xfe\xff", "no-images"),
        (None, None, "file-unreadable"),
    ],
)
def test_what_names_no_images_is_refused_with_its_place(tmp_path, name, content, rule):
    path = tmp_path / (name or "nowhere.txt")
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        list(find_images(path))
    assert caught.value.rule == rule
    assert path.name in str(caught.value)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no images"):
        list(find_images(tmp_path))
