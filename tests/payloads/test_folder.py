"""Recorded answers in a folder: which images each is of, and what is wrong with any of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rapideval
from rapideval import read_answers
from rapideval.errors import InputError, UsageError
from rapideval.payloads import answer_files

ONE = [{"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": ["car"]}]


def record(folder, **answers):
    for name, answer in answers.items():
        (folder / f"{name}.json").write_text(json.dumps({"state": "SUCCESS", "result": json.dumps(answer)}))


def keys(*args, **options):
    return list(read_answers(*args, **options).dataset.images.keys)


def test_files_are_read_in_the_order_of_their_names(tmp_path):
    record(tmp_path, b=ONE, a=ONE, c=ONE)
    for other in (".hidden.json", "a.request.json", "manifest.json", "request.json", "notes.md"):
        (tmp_path / other).write_text("{}")
    assert [path.name for path in answer_files(tmp_path)] == ["a.json", "b.json", "c.json"]


def test_a_file_of_one_image_is_named_after_itself(tmp_path):
    record(tmp_path, a=ONE, b=ONE)
    answer = read_answers(tmp_path)
    assert list(answer.dataset.images.keys) == ["a", "b"]
    assert [(note.rule, note.count) for note in answer.notes] == [("image-keys", 2)]
    assert [task.where for task in answer.tasks] == [f"{tmp_path / name}.json: $.result -> $" for name in "ab"]


def test_the_request_beside_an_answer_names_its_images(tmp_path):
    record(tmp_path, a=ONE * 2, b=ONE)
    (tmp_path / "a.request.json").write_text(json.dumps({"args": {"image_urls": ["s3://x/1.jpg", "s3://x/2.jpg"]}}))
    answer = read_answers(tmp_path)
    assert list(answer.dataset.images.keys) == ["s3://x/1.jpg", "s3://x/2.jpg", "b"]


def test_the_manifest_names_images_and_sizes(tmp_path):
    record(tmp_path, a=ONE * 2, b=ONE)
    manifest = {"answers": {"a.json": {"images": ["1.jpg", "2.jpg"], "sizes": [[5, 7], [6, 8]]}, "b": ["3.jpg"]}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    dataset = read_answers(tmp_path).dataset
    assert list(dataset.images.keys) == ["1.jpg", "2.jpg", "3.jpg"]
    assert dataset.images.sizes.tolist() == [[5, 7], [6, 8], [0, 0]]


def test_one_request_for_every_answer_of_the_folder(tmp_path):
    record(tmp_path, v1=ONE, v2=ONE)
    (tmp_path / "request.json").write_text(json.dumps({"url": "x.jpg"}))
    assert keys([tmp_path / "v1.json"]) == ["x.jpg"]
    with pytest.raises(InputError, match=r"a second result for image 'x\.jpg'"):
        read_answers(tmp_path)


@pytest.mark.parametrize("images", [{"a.json": "1.jpg", "b": ["2.jpg"]}, ["1.jpg", "2.jpg"], [["1.jpg"], ["2.jpg"]]])
def test_the_caller_names_the_images(tmp_path, images):
    record(tmp_path, a=ONE, b=ONE)
    assert keys(tmp_path, images=images) == ["1.jpg", "2.jpg"]


def test_lines_of_a_file_and_other_files_together(tmp_path):
    record(tmp_path, a=ONE)
    rows = [
        {"task_id": f"t{i}", "status": "SUCCESS", "result": {"result": json.dumps(ONE)}, "id": f"{i}"} for i in (4, 5)
    ]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert keys(tmp_path, images={"4": "4.jpg", "5": "5.jpg", "a": "a.jpg"}) == ["a.jpg", "4.jpg", "5.jpg"]
    assert keys(tmp_path) == ["a", "4", "5"]


def test_problems_of_all_files_are_told_together(tmp_path):
    record(tmp_path, a=[{"boxes": [[1, 2, 3]], "scores": [0.9], "labels": ["x"]}], b=[7], c=ONE)
    (tmp_path / "d.json").write_text("{")
    with pytest.raises(InputError) as caught:
        read_answers(tmp_path)
    assert {problem.rule for problem in caught.value.problems} == {"M4"}
    (tmp_path / "d.json").unlink()
    with pytest.raises(InputError) as caught:
        read_answers(tmp_path)
    assert [problem.rule for problem in caught.value.problems] == ["M26", "M21"]
    assert [Path(problem.where.partition(":")[0]).name for problem in caught.value.problems] == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ([], "found an empty array"),
        (
            {"answers": {"a.json": {"images": [7]}}},
            r"\$.answers\[\"a.json\"\]: found an array of 1, expected a list of",
        ),
        ({"answers": {"a.json": {"images": ["x"], "sizes": [[5]]}}}, r"sizes: found an array of 1, expected 1 pairs"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path, manifest, message):
    record(tmp_path, a=ONE)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message):
        read_answers(tmp_path)


def test_what_is_no_folder_of_answers_is_refused(tmp_path):
    for source in (tmp_path, tmp_path / "none", []):
        with pytest.raises(InputError):
            read_answers(source)
    with pytest.raises(InputError, match="No such file"):
        read_answers([tmp_path / "none.json"])


def test_an_unknown_option_is_a_wrong_call(tmp_path):
    record(tmp_path, a=ONE)
    with pytest.raises(UsageError, match="prefer"):
        read_answers(tmp_path, prefer="x")


@pytest.mark.parametrize("name", ["v1-detection", "v2-instance", "v1-semantic"])
def test_the_demo_is_read_by_its_request(name):
    folder = Path(rapideval.__file__).parent / "demo_data" / "answers"
    answer = read_answers([folder / f"{name}.json"])
    assert answer.status == "finished"
    request = json.loads((folder / "request.json").read_text("utf-8"))
    assert list(answer.dataset.images.keys) == request["args"]["image_urls"]
