"""Where an answer may come from: bytes, text, files, streams, objects; one task a line."""

from __future__ import annotations

import io
import json

import pytest

from rapideval.errors import InputError
from rapideval.payloads import parse
from rapideval.payloads.text import MAPPED

PAYLOAD = [{"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": ["café"]}]
TEXT = json.dumps(PAYLOAD, ensure_ascii=False)


def fingerprint(source, **options):
    return parse(source, images=["a"], **options).dataset.fingerprint()


@pytest.mark.parametrize(
    "source",
    [
        TEXT,
        TEXT.encode(),
        bytearray(TEXT.encode()),
        memoryview(TEXT.encode()),
        "\ufeff" + TEXT,
        f"  \r\n{TEXT}\n",
        io.BytesIO(TEXT.encode()),
        io.StringIO(TEXT),
        json.dumps(PAYLOAD),
        json.dumps(TEXT),
    ],
)
def test_every_source_gives_the_same(source):
    assert fingerprint(source) == fingerprint(PAYLOAD)


def test_a_file_by_path_and_by_its_name_as_text(tmp_path):
    path = tmp_path / "a b.json"
    path.write_text(TEXT, "utf-8")
    assert fingerprint(path) == fingerprint(str(path)) == fingerprint(PAYLOAD)
    with path.open("rb") as stream:
        assert parse(stream, images=["a"]).tasks[0].where == f"{path}: $"
    assert parse(path, name="shown.json", images=["a"]).tasks[0].where == "shown.json: $"


def test_a_file_that_is_not_there_is_told_as_such(tmp_path):
    for source in (tmp_path / "none.json", str(tmp_path / "none.json"), "none.jsonl"):
        with pytest.raises(InputError, match=r"No such file or directory, expected a file that can be read \[file\]"):
            parse(source)


@pytest.mark.parametrize(
    "text",
    [
        TEXT + " " * MAPPED,
        "\ufeff" + json.dumps(TEXT) + "\n" * MAPPED,
        "\n".join([TEXT] * (MAPPED // len(TEXT) + 1)),
        TEXT[:-1] + " " * MAPPED + ",]",
        TEXT + " " * MAPPED + "x",
        TEXT[:-2] + " " * MAPPED,
    ],
    ids=["plain", "layered", "lines", "comma", "trailing", "truncated"],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_a_large_file_is_mapped_and_gives_what_its_bytes_give(tmp_path, text, lenient):
    path = tmp_path / "answer.json"
    path.write_bytes(text.encode())

    def outcome(source):
        try:
            return parse(source, images=["a"], name="answer", lenient=lenient).dataset.fingerprint()
        except InputError as error:
            return str(error)

    assert outcome(path) == outcome(text.encode())


def test_a_folder_is_told_as_such(tmp_path):
    with pytest.raises(InputError, match="read_answers reads a folder"):
        parse(tmp_path)


def test_text_that_is_neither_json_nor_a_path_is_no_json():
    with pytest.raises(InputError, match="M1"):
        parse("Task succeeded")


LINES = [
    json.dumps({"task_id": f"t{n}", "status": "SUCCESS", "result": {"result": TEXT}, "id": str(n)}) for n in (1, 2)
]


@pytest.mark.parametrize("join", ["\n", "\r\n", "\n\n", " \n "])
@pytest.mark.parametrize("end", ["", "\n", "\r\n\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_lines_are_tasks(join, end, begin):
    answer = parse((begin + join.join(LINES) + end).encode())
    assert [(task.task_id, task.row_id, task.images) for task in answer.tasks] == [
        ("t1", "1", ("1",)),
        ("t2", "2", ("2",)),
    ]


def test_a_file_of_lines_may_hold_one_or_bare_payloads(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(LINES[0])
    assert len(parse(path).tasks) == 1
    path.write_text(f"{TEXT}\n{TEXT}\n", "utf-8")
    assert list(parse(path, images=["a", "b"]).dataset.images.keys) == ["a", "b"]


def test_pretty_printed_json_is_no_lines():
    assert fingerprint(json.dumps(PAYLOAD, indent=1)) == fingerprint(PAYLOAD)
    assert fingerprint(json.dumps(PAYLOAD[0], indent=0)) == fingerprint(PAYLOAD)


def test_problems_of_lines_name_the_line():
    with pytest.raises(InputError) as caught:
        parse("\n".join([LINES[0], LINES[1][:-5], "", "7"]).encode(), name="batch.jsonl")
    assert [(problem.rule, problem.where) for problem in caught.value.problems] == [
        ("M4", "batch.jsonl: line 2: $.id"),
        ("M2", "batch.jsonl: line 4: $"),
    ]
