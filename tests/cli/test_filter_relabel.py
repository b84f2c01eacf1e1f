"""rapideval filter and relabel: what stays, what is renamed, and names that are not there."""

from __future__ import annotations

import json

import pytest
from PIL import Image


@pytest.fixture
def street(folder):
    """street.json: cars, trucks and people in three images of which the last is empty; street-results.json."""
    images = [
        {"id": 1, "file_name": "north/a.jpg", "width": 100, "height": 80},
        {"id": 2, "file_name": "south/b.jpg", "width": 100, "height": 80},
        {"id": 3, "file_name": "south/c[1].jpg", "width": 100, "height": 80},
    ]
    labels = [{"id": 3, "name": "car"}, {"id": 5, "name": "car_old"}, {"id": 7, "name": "truck"}]
    labels.append({"id": 9, "name": "person"})
    boxes = [(1, 3, 4, 0), (1, 5, 6, 0), (1, 9, 10, 1), (2, 7, 20, 0), (2, 3, 30, 0)]
    rows = [
        {"id": k, "image_id": n, "category_id": label, "bbox": [1, 1, side, side], "area": side**2, "iscrowd": crowd}
        for k, (n, label, side, crowd) in enumerate(boxes, 1)
    ]
    document = {"images": images, "categories": labels, "annotations": rows}
    (folder / "street.json").write_text(json.dumps(document))
    return folder


def content(path):
    """Images, labels, and annotations by label and side."""
    document = json.loads(path.read_text())
    names = {label["id"]: label["name"] for label in document["categories"]}
    rows = [(names[row["category_id"]], row["bbox"][2]) for row in document["annotations"]]
    return [image["file_name"] for image in document["images"]], list(names.values()), rows


ALL = ["north/a.jpg", "south/b.jpg", "south/c[1].jpg"]
EVERY = ["car", "car_old", "truck", "person"]


@pytest.mark.parametrize(
    ("conditions", "images", "labels", "rows"),
    [
        (["--label", "car"], ALL, ["car"], [("car", 4), ("car", 30)]),
        (["--label", "car*"], ALL, ["car", "car_old"], [("car", 4), ("car_old", 6), ("car", 30)]),
        (["--label", "tr?ck", "--label", "person"], ALL, ["truck", "person"], [("person", 10), ("truck", 20)]),
        (["--label", "car*", "--not-label", "car_old"], ALL, ["car"], [("car", 4), ("car", 30)]),
        (["--not-label", "car*"], ALL, ["truck", "person"], [("person", 10), ("truck", 20)]),
        (["--label", "truck", "--only-annotated"], ["south/b.jpg"], ["truck"], [("truck", 20)]),
        (["--image", "south/*"], ALL[1:], EVERY, [("truck", 20), ("car", 30)]),
        (["--image", "b.jpg"], ["south/b.jpg"], EVERY, [("truck", 20), ("car", 30)]),
        (["--image", "south/c[1].jpg"], ["south/c[1].jpg"], EVERY, []),
        (["--not-image", "b*"], ["north/a.jpg", "south/c[1].jpg"], EVERY, [("car", 4), ("car_old", 6), ("person", 10)]),
        (["--min-area", "36", "--max-area", "400"], ALL, EVERY, [("car_old", 6), ("person", 10), ("truck", 20)]),
        (["--crowd"], ALL, EVERY, [("person", 10)]),
        (["--no-crowd", "--max-area", "100"], ALL, EVERY, [("car", 4), ("car_old", 6)]),
        (
            ["--only-annotated"],
            ALL[:2],
            EVERY,
            [("car", 4), ("car_old", 6), ("person", 10), ("truck", 20), ("car", 30)],
        ),
    ],
)
def test_what_meets_all_conditions_stays(run, street, conditions, images, labels, rows):
    run("filter", "street.json", "out.json", *conditions)
    assert content(street / "out.json") == (images, labels, rows)


def test_images_are_chosen_by_their_further_fields(run, street):
    document = json.loads((street / "street.json").read_text())
    for image, split, hour in zip(document["images"], ("train", "val", "val"), (3, 14, 15), strict=True):
        image |= {"split": split, "hour": hour}
    (street / "street.json").write_text(json.dumps(document))
    run("filter", "street.json", "out.json", "--field", "split=val", "--field", "hour=14")
    assert content(street / "out.json")[0] == ["south/b.jpg"]
    run("filter", "street.json", "out.json", "--field", "split=va*")
    assert content(street / "out.json")[0] == ALL[1:]
    refused = run("filter", "street.json", "out.json", "--field", "split=vla", code=2)
    assert "--field split: 'vla': there is no such value of 'split'; did you mean 'val'?" in refused.stderr
    refused = run("filter", "street.json", "out.json", "--field", "site=x", code=2)
    assert "there is no such value of 'site'; there are none" in refused.stderr


def test_how_much_stays_is_said(run, run_json, street):
    arguments = ["filter", "street.json", "out.json", "--label", "car", "--only-annotated"]
    result = run(*arguments)
    for line in ("images       2 of 3", "labels       1 of 4", "annotations  2 of 5"):
        assert line in result.stdout
    document = run_json("selection", *arguments)
    assert document["counts"] == {"images": 2, "labels": 1, "annotations": 2}
    assert document["found"] == {"images": 3, "labels": 4, "annotations": 5}


def test_scores_bound_predictions_only(run, folder):
    run("filter", "results.json", "out.json", "--to", "coco-results", "--min-score", "0.8", "--max-score", "0.85")
    assert [row["score"] for row in json.loads((folder / "out.json").read_text())] == [0.8]
    refused = run("filter", "truth.json", "out2.json", "--min-score", "0", code=2)
    assert "ground truth, which has no scores" in refused.stderr


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (["--label", "caar"], "--label 'caar': there is no such label; did you mean 'car'"),
        (["--not-label", "x*"], "--not-label 'x*': there is no such label; there are 'car', 'car_old', 'truck'"),
        (["--image", "d.jpg"], "--image 'd.jpg': there is no such image; did you mean"),
        (["--min-area", "9", "--max-area", "4"], "--min-area 9.0 and --max-area 4.0: nothing is between them"),
        (["--max-area", "nan"], "nothing is between them"),
        (["--not-image", "east/*"], "--not-image 'east/*': there is no such image"),
    ],
)
def test_what_chooses_nothing_is_an_error(run, street, conditions, message):
    assert message in run("filter", "street.json", "out.json", *conditions, code=2).stderr
    assert not (street / "out.json").exists()


def test_only_the_image_files_that_stay_are_copied(run_json, street):
    for name in ("north/a.jpg", "south/b.jpg"):
        (street / name).parent.mkdir()
        Image.new("RGB", (100, 80)).save(street / name)
    document = run_json(
        "selection", "filter", "street.json", "out", "--to", "yolo", "--image", "south/*", "--images", "copy"
    )
    assert document["image_files"]["copied"] == 1
    assert document["image_files"]["missing"] == ["south/c[1].jpg"]
    assert [path.name for path in (street / "out" / "images").rglob("*.jpg")] == ["b.jpg"]


# --- relabel ---------------------------------------------------------------------------------------


def test_labels_are_renamed_and_joined(run, run_json, street):
    arguments = ["relabel", "street.json", "out.json", "--map", "car_old=car", "--map", "person=pedestrian"]
    result = run(*arguments)
    assert content(street / "out.json") == (
        ALL,
        ["car", "truck", "pedestrian"],
        [("car", 4), ("car", 6), ("pedestrian", 10), ("truck", 20), ("car", 30)],
    )
    assert [row["id"] for row in json.loads((street / "out.json").read_text())["categories"]] == [3, 7, 9]
    assert [line.split() for line in result.stdout.splitlines() if "car, car_old" in line] == [
        ["car", "car,", "car_old", "3"]
    ]
    assert "1 label as before" in result.stdout
    document = run_json("relabelling", *arguments)
    assert document["labels"] == [
        {"name": "car", "names_before": ["car", "car_old"], "annotations": 3},
        {"name": "truck", "names_before": ["truck"], "annotations": 1},
        {"name": "pedestrian", "names_before": ["person"], "annotations": 1},
    ]
    assert document["dropped"] == []


def test_names_may_change_places(run, street):
    run("relabel", "street.json", "out.json", "--map", "car=truck", "--map", "truck=car")
    assert content(street / "out.json")[2] == [("truck", 4), ("car_old", 6), ("person", 10), ("car", 20), ("truck", 30)]


def test_dropped_labels_take_their_annotations_with_them_and_images_stay(run, run_json, street):
    arguments = ["relabel", "street.json", "out.json", "--map", "car*=vehicle", "--map", "truck=vehicle", "--drop", "*"]
    result = run(*arguments)
    assert "1 label dropped, with 1 annotation: person (1)" in result.stdout
    assert content(street / "out.json") == (
        ALL,
        ["vehicle"],
        [("vehicle", 4), ("vehicle", 6), ("vehicle", 20), ("vehicle", 30)],
    )
    assert run_json("relabelling", *arguments)["dropped"] == [{"name": "person", "annotations": 1}]


def test_a_name_counts_before_a_pattern(run, street):
    for maps in (["car*=vehicle", "car_old=wreck"], ["car_old=wreck", "car*=vehicle"]):
        run("relabel", "street.json", "out.json", *[part for one in maps for part in ("--map", one)])
        assert content(street / "out.json")[1] == ["vehicle", "wreck", "truck", "person"]


@pytest.mark.parametrize(
    ("name", "text"), [("names.txt", "car_old = car\n\nperson=pedestrian\n"), ("names.json", '{"car_old": "car"}')]
)
def test_names_may_stand_in_a_file(run, street, name, text):
    (street / name).write_text(text)
    run("relabel", "street.json", "out.json", "--map", name)
    assert "car_old" not in content(street / "out.json")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to do"),
        (["--map", "caar=x"], "--map 'caar': there is no such label; did you mean 'car'"),
        (["--map", "x*=y"], "--map 'x*': there is no such label"),
        (["--drop", "people"], "--drop 'people': there is no such label"),
        (["--map", "car=a", "--map", "car=b"], "--map: 'car' is mapped to 'a' and to 'b'"),
        (["--map", "car*=a", "--map", "*old=b"], "--map: 'car_old' is mapped to 'a' and to 'b'"),
        (["--map", "car=a", "--drop", "car"], "--drop 'car': --map names it 'a'"),
        (["--map", "car="], "expected NAME=NAME"),
        (["--map", "none.txt"], "none.txt"),
        (["--map", "street.json"], "expected a JSON object of names"),
    ],
)
def test_what_cannot_be_renamed_is_said(run, street, arguments, message):
    assert message in run("relabel", "street.json", "out.json", *arguments, code=2).stderr
    assert not (street / "out.json").exists()
