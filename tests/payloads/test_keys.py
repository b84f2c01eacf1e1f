"""Which image a result is of: names from the caller, the request, the answer itself, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapideval import Images
from rapideval.errors import InputError, UsageError
from rapideval.payloads import parse

EMPTY = {"boxes": [], "scores": [], "labels": []}
ONE = {"boxes": [[1, 2, 3, 4]], "scores": [0.9], "labels": ["car"]}
URLS = ["https://host/a.jpg", "s3://bucket/b.jpg"]


def keys(source, **options):
    return list(parse(source, **options).dataset.images.keys)


@pytest.mark.parametrize(
    "request_body",
    [
        {"args": {"image_urls": URLS}, "return_pickled": False},
        {"args": {"images": URLS, "scale_s3_url": False}},
        {"image_urls": URLS},
        {"url": "ignored", "args": {"image_urls": URLS}},
        json.dumps({"args": {"image_urls": URLS}}),
        json.dumps({"args": {"image_urls": URLS}}).encode(),
    ],
)
def test_a_request_names_the_images_in_order(request_body):
    assert keys([EMPTY, ONE], request=request_body) == URLS


def test_a_request_file_names_the_images(tmp_path):
    (tmp_path / "request.json").write_text(json.dumps({"args": {"image_url": URLS[0]}}))
    assert keys(ONE, request=tmp_path / "request.json") == URLS[:1]


def test_a_url_alone_is_one_image():
    assert keys([ONE], request={"url": URLS[0], "return_pickled": False}) == URLS[:1]


def test_a_raw_image_gives_its_size_but_no_name():
    answer = parse([ONE, ONE], request={"args": {"images": [URLS[0], [[[0, 0, 0]] * 7] * 5]}})
    assert list(answer.dataset.images.keys) == [URLS[0], "#1"]
    assert answer.dataset.images.sizes.tolist() == [[0, 0], [5, 7]]
    assert [note.rule for note in answer.notes] == ["image-keys"]


def test_a_signed_address_loses_its_signature():
    signed = "https://b.s3.amazonaws.com/a.jpg?X-Amz-Signature=abc&X-Amz-Expires=60"
    assert keys([ONE], request={"args": {"image_url": signed}}) == ["https://b.s3.amazonaws.com/a.jpg"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({}, "found an empty object {}, expected images under args.image_url, args.image_urls, args.images or url"),
        ({"args": {"image_urls": []}}, "expected images under"),
        ({"args": {"image_url": "a", "images": ["b"]}}, "found images and image_url together"),
        ({"args": {"image_urls": "a"}}, 'found the text "a", expected a list of images'),
        ({"args": {"images": [7]}}, r"request: \$.args.images\[0\]: found 7"),
        ({"args": {"images": [[[[0]], [[0], [0]]]]}}, "rows of different length"),
        ("{'args': {}}", "M1"),
        ({"args": {"image_url": ""}}, "found an empty text"),
    ],
)
def test_a_request_without_images_is_refused(bad, message):
    with pytest.raises(InputError, match=message):
        parse(ONE, request=bad)


@pytest.mark.parametrize(
    "images", [["a", "b"], ("a", "b"), Images(["a", "b"]), [Path("a"), "b"], iter("ab"), [["a", "b"]]]
)
def test_names_may_be_given_in_many_ways(images):
    assert keys([ONE, EMPTY], images=images) == ["a", "b"]


@pytest.mark.parametrize("images", ["a", Path("a"), ["a"], {"t1": "a"}, {"t1": ["a"]}])
def test_one_name(images):
    assert keys({"task_id": "t1", "result": [ONE]}, images=images) == ["a"]


def test_names_win_over_the_request_but_their_number_must_agree():
    assert keys([ONE, ONE], images=["x", "y"], request={"args": {"image_urls": URLS}}) == ["x", "y"]
    with pytest.raises(InputError, match="found 2 results, expected 1, one for each of the images in the request"):
        parse([ONE, ONE], images=["x", "y"], request={"url": "u"})


def test_a_bad_name_is_a_wrong_call():
    with pytest.raises(UsageError, match="None is no name of an image"):
        parse([ONE], images=[None])


def test_images_of_one_name_are_refused():
    with pytest.raises(InputError, match="a second result for image 'a'"):
        parse([ONE, ONE], images=["a", "a"])


# --- answers that name their images ------------------------------------------------------------------


def test_a_mapping_is_joined_to_the_request_by_name_not_by_order():
    answer = parse({"b.jpg": ONE, "a.jpg": EMPTY}, request={"args": {"image_urls": URLS}})
    assert answer.dataset[0].image == "s3://bucket/b.jpg"


@pytest.mark.parametrize("names", [["a.jpg", "c.jpg"], ["a.jpg"], ["a.jpg", "b.jpg", "c.jpg"]])
def test_a_mapping_of_other_images_is_refused(names):
    with pytest.raises(InputError, match="M23"):
        parse({"b.jpg": ONE, "a.jpg": EMPTY}, images=names)


# --- several tasks -----------------------------------------------------------------------------------


def lines(*ids, result=(ONE,), **other):
    rows = [{"task_id": f"t{i}", "status": "SUCCESS", "result": {"result": json.dumps(result)}, "id": i} for i in ids]
    return "\n".join(json.dumps(row | other) for row in rows).encode()


def test_a_batch_takes_names_by_row_id():
    assert keys(lines("7", "3"), images={"3": "c.jpg", "7": "g.jpg"}) == ["g.jpg", "c.jpg"]


def test_a_batch_without_names_is_named_by_row_id():
    answer = parse(lines("7", "3"))
    assert list(answer.dataset.images.keys) == ["7", "3"]
    assert [note.rule for note in answer.notes] == ["image-keys"]


def test_a_batch_out_of_order_does_not_take_names_from_a_list():
    with pytest.raises(InputError, match='row id "3" after "7"'):
        parse(lines("7", "3"), images=["a", "b"])
    assert keys(lines("3", "7"), images=["a", "b"]) == ["a", "b"]


def test_a_batch_row_that_the_mapping_does_not_name_is_refused():
    with pytest.raises(InputError, match="a task '7' or 't7', expected one that the mapping of images names"):
        parse(lines("7"), images={"8": "a"})


def test_tasks_of_several_images_share_a_flat_list():
    tasks = [{"task_id": "1", "result": [ONE, EMPTY]}, {"task_id": "2", "result": [ONE]}]
    assert keys(tasks, images=["a", "b", "c"]) == ["a", "b", "c"]
    assert keys(tasks, images=[["a", "b"], ["c"]]) == ["a", "b", "c"]
    with pytest.raises(InputError, match="2 tasks with 3 results, expected 2 images"):
        parse(tasks, images=["a", "b"])
    with pytest.raises(InputError, match="found 2 tasks, expected 1, as images has"):
        parse(tasks, images=[["a", "b", "c"]])


def test_several_requests_are_those_of_the_tasks():
    tasks = [{"task_id": "1", "result": [ONE, EMPTY]}, {"task_id": "2", "result": [ONE]}]
    assert keys(tasks, request=[{"image_urls": URLS}, {"image_url": "c.jpg"}]) == [*URLS, "c.jpg"]
    with pytest.raises(InputError, match="found 2 tasks, expected 3, as requests"):
        parse(tasks, request=[{"url": "a"}] * 3)


def test_names_skip_the_images_of_a_task_that_failed():
    tasks = [{"state": "FAILURE", "traceback": "x"}, {"state": "SUCCESS", "result": [ONE]}]
    answer = parse(tasks, images=["a", "b"])
    assert answer.status == "failed"
    assert list(answer.dataset.images.keys) == ["b"]
    assert [task.images for task in answer.tasks] == [(), ("b",)]
    assert answer.notes[-1].rule == "tasks-unfinished"


def test_names_cannot_be_dealt_out_where_a_failed_task_hides_how_many_it_had():
    tasks = [{"state": "FAILURE", "traceback": "x"}, {"state": "SUCCESS", "result": [ONE, ONE]}]
    with pytest.raises(InputError, match="1 of them without a result"):
        parse(tasks, images=["a", "b", "c"])
    assert keys(tasks, images=[["a"], ["b", "c"]]) == ["b", "c"]


# --- sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sizes",
    [
        {"a.jpg": (5, 7), "b.jpg": [6, 8]},
        {"x/a.jpg": (5, 7), "b.jpg": (6, 8)},
        [(5, 7), (6, 8)],
        Images(["a.jpg", "b.jpg"], sizes=[[5, 7], [6, 8]]),
    ],
)
def test_sizes_may_be_given_in_many_ways(sizes):
    answer = parse([EMPTY, EMPTY], images=["a.jpg", "b.jpg"], sizes=sizes)
    assert answer.dataset.images.sizes.tolist() == [[5, 7], [6, 8]]


def test_one_size_is_that_of_all_images():
    assert parse([EMPTY, EMPTY], sizes=(5, 7)).dataset.images.sizes.tolist() == [[5, 7], [5, 7]]


def test_images_with_sizes_give_them():
    images = Images(["a.jpg"], sizes=[[5, 7]])
    assert parse([EMPTY], images=images).dataset.images.sizes.tolist() == [[5, 7]]


@pytest.mark.parametrize("sizes", [(5,), [(5, 7, 3)], {"a": "5x7"}, (-5, 7)])
def test_a_bad_size_is_a_wrong_call(sizes):
    with pytest.raises(UsageError, match="height"):
        parse([EMPTY], sizes=sizes)


def test_a_mask_tells_the_size_of_its_image():
    masks = {"masks": [[[0, 1, 0], [0, 0, 0]]], "scores": [0.5], "labels": ["a"]}
    assert parse([masks]).dataset.images.sizes.tolist() == [[2, 3]]


# --- the last resort ---------------------------------------------------------------------------------


def test_a_file_of_one_image_is_named_after_itself(tmp_path):
    path = tmp_path / "street-7.json"
    path.write_text(json.dumps([ONE]))
    answer = parse(path)
    assert list(answer.dataset.images.keys) == ["street-7"]
    assert "the name of the file is taken" in answer.notes[0].found


def test_images_without_names_join_with_nothing_and_a_note_says_so():
    answer = parse([ONE, ONE])
    assert list(answer.dataset.images.keys) == ["#0", "#1"]
    assert answer.notes[0].severity == "warning"
