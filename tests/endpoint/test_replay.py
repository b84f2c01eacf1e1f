"""Recorded answers are given again by the name of the image, as they were."""

from __future__ import annotations

import json

import pytest

from rapideval.endpoint.server.replay import Replay
from rapideval.errors import InputError

A = '{"boxes":[[1,2,30.50,40]],"scores":[0.90],"labels":["a \\"car\\""]}'
B = '{"boxes":[],"scores":[],"labels":[]}'


def answer(replay, reference):
    return bytes(replay.answer(reference, "image 0")).decode()


def test_lines_name_their_images(tmp_path):
    path = tmp_path / "answers.jsonl"
    lines = [
        {"images": ["x/a.jpg", "x/b.jpg"], "state": "SUCCESS", "result": f"[{A},{B}]"},
        {"images": ["c.jpg"], "task_id": "t", "status": "SUCCESS", "result": {"result": f"[{A}]"}},
        {"images": ["d.jpg"], "state": "FAILURE", "traceback": "no"},
        {"request": {"args": {"image_url": "https://h/e.jpg?sig=1"}}, "results": [json.loads(B)]},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    replay = Replay(path)
    assert answer(replay, "x/a.jpg") == A  # byte for byte: 30.50 stays 30.50
    assert answer(replay, "https://host/other/b.jpg?X-Amz-Signature=2") == B
    assert answer(replay, "c.jpg") == A
    assert json.loads(answer(replay, "https://h/e.jpg")) == json.loads(B)
    with pytest.raises(InputError, match="without a recorded answer"):
        replay.answer("d.jpg", "image 0")
    with pytest.raises(InputError, match="raw image"):
        replay.answer([[[1, 2, 3]]], "image 0")


def test_a_folder_names_its_images_by_manifest_request_or_file(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps({"state": "SUCCESS", "result": f"[{A},{B}]"}))
    (tmp_path / "manifest.json").write_text(json.dumps({"answers": {"one.json": {"images": ["a.jpg", "b.jpg"]}}}))
    (tmp_path / "two.json").write_text(A)
    (tmp_path / "two.request.json").write_text(json.dumps({"args": {"image_urls": ["s3://bucket/c.jpg"]}}))
    (tmp_path / "d.json").write_text(B)
    replay = Replay(tmp_path)
    assert [answer(replay, name) for name in ("a.jpg", "b.jpg", "s3://bucket/c.jpg", "d.png")] == [A, B, A, B]


def test_a_count_that_does_not_fit_and_a_second_answer_are_refused(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"images": ["a.jpg"], "result": f"[{A},{B}]"}))
    with pytest.raises(InputError, match="2 results for 1 images"):
        Replay(path)
    line = json.dumps({"images": ["a.jpg"], "result": f"[{A}]"})
    path.write_text(f"{line}\n{line}")
    with pytest.raises(InputError, match="second answer"):
        Replay(path)
    path.write_text("")
    with pytest.raises(InputError, match="no recorded answers"):
        Replay(path)
