"""Damaged files are refused as such: no other error comes out, and what ends early never passes."""

import random
import re

import pytest
from helpers.written import small, written

from rapideval import formats
from rapideval.errors import RapidevalError

VALUES = [
    b"null", b"-1", b"1e400", b'"x"', b"[]", b"{}", b"true", b"0", b"99999999999999999999", b'""', b"[[[]]]", b"3.5",
    b"NaN", b'"\\u0000"', b"\xff", b'"\\ud800"',
]  # fmt: skip
GIVEN_SIZES = ("open-images", "yolo", "yolo-seg", "yolo-obb")  # relative coordinates, and no image files here
TOKEN = re.compile(rb'"[^"\n]*"|-?\d+(?:\.\d+)?|true|null')


def damaged(text, random):
    """The text with a value exchanged, a piece cut out, a byte changed, or a piece doubled."""
    text = bytearray(text)
    kind = random.randrange(4)
    place = random.randrange(len(text))
    tokens = list(TOKEN.finditer(bytes(text)))
    if kind == 0 and tokens:
        token = random.choice(tokens)
        text[token.start() : token.end()] = random.choice(VALUES)
    elif kind == 1:
        del text[place : place + random.randint(1, 30)]
    elif kind == 2:
        text[place] = random.randrange(256)
    else:
        start = random.randrange(len(text))
        text[place:place] = text[start : start + random.randint(1, 40)]
    return bytes(text)


def files_of(name, place):
    """The small dataset in a format: what is read, and the files that it is made of."""
    chosen = formats.get(name)
    path = place / ("small" if chosen.kind == "folder" else f"small{chosen.suffixes[0]}")
    holds = chosen.capabilities
    formats.write(small(scored=holds.scores, outlines=holds.polygons, sizes=True), path, name)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return path, [file for file in files if file.stat().st_size]


def read_or_refused(path, name, **options):
    """1 where a file is refused; what is no error of ours comes out."""
    try:
        formats.read(path, name, **options)
    except RapidevalError:
        return 1
    return 0


WRITTEN = [name for name in formats.FORMATS if formats.get(name).writer]
BINARY = (".png", ".parquet")


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_damaged_file_is_read_or_refused(name, lenient, tmp_path):
    lenient_options = {"lenient": True} if lenient and "lenient" in formats.get(name).read_options else {}
    options = lenient_options | ({"order": "xywh"} if name == "boxes-text" else {})
    if lenient and not lenient_options:
        pytest.skip("nothing to be lenient about")
    if name in GIVEN_SIZES:
        options["images"] = small(sizes=True)
    chance = random.Random(name)
    path, files = files_of(name, tmp_path)
    refused = 0
    for _ in range(400 if len(files) == 1 else 200):
        file = chance.choice(files)
        whole = file.read_bytes()
        file.write_bytes(damaged(whole, chance))
        refused += read_or_refused(path, name, **options)
        file.write_bytes(whole)
    assert refused > 30
    assert not read_or_refused(path, name, **options)


@pytest.mark.parametrize("name", [name for name in WRITTEN if formats.get(name).kind == "file" and name != "rle"])
def test_a_file_that_ends_early_is_refused(name, tmp_path):
    path, _ = files_of(name, tmp_path)
    text = path.read_bytes().rstrip()
    for end in range(0, len(text), 7):
        path.write_bytes(text[:end])
        assert read_or_refused(path, name), end


def test_lines_that_end_early_are_refused_within_the_line():
    lines = written(small(outlines=False), "rle")[0].splitlines(keepends=True)
    whole = b"".join(lines[:-1])
    for end in range(1, len(lines[-1]) - 1, 5):
        with pytest.raises(RapidevalError):
            formats.read(whole + lines[-1][:end], "rle")
