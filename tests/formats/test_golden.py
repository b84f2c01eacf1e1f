"""The bytes of each format stay what they are: fixtures/formats holds one small dataset in each.

A change that is meant is seen in the diff of these files.
"""

import json
from pathlib import Path

import jsonschema
import pytest
from helpers.written import small, written

from rapideval import formats

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "formats"
FILES = {
    "coco": "small.coco.json",
    "coco-results": "small.results.json",
    "geojson": "small.geojson",
    "rle": "small.jsonl",
}


def content(name):
    return written(small(scored=name != "coco", outlines=name != "rle"), name)[0]


def test_every_format_that_is_written_has_its_file():
    assert set(FILES) == {name for name in formats.FORMATS if formats.get(name).writer}


@pytest.mark.parametrize("name", FILES)
def test_a_format_is_written_byte_for_byte_as_before(name):
    assert content(name) == (FOLDER / FILES[name]).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_and_reads_back_as_what_was_written(name):
    path = FOLDER / FILES[name]
    assert formats.detect(path)[0].name == name
    scored = small(scored=name != "coco", outlines=name != "rle")
    data = formats.read(path, images=scored, labels=scored) if name == "coco-results" else formats.read(path)
    assert written(data, name)[0] == path.read_bytes()


def test_documents_that_are_written_keep_their_schemas():
    schemas = FOLDER.parents[1] / "schemas"

    def check(document, name):
        jsonschema.validate(document, json.loads((schemas / f"{name}.json").read_bytes()))

    first, *lines = [json.loads(line) for line in (FOLDER / FILES["rle"]).read_bytes().splitlines()]
    check(first, "rle-header")
    for line in lines:
        check(line, "rle-line")
    check(json.loads((FOLDER / FILES["geojson"]).read_bytes())["rapideval"], "geojson-header")
