"""rapideval split and sample: images dealt out, alike, in groups, the same for the same seed."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from rapideval import formats

SHARES = ["--share", "train=0.75", "--share", "val=25%"]


@pytest.fixture
def clips(folder):
    """clips.json: four clips of five frames, a cat on each, a dog on each of the first clip."""
    names = [f"clip{clip}_{frame}.jpg" for clip in range(4) for frame in range(5)]
    images = [
        {"id": n, "file_name": name, "width": 40, "height": 30, "clip": name[:5]} for n, name in enumerate(names, 1)
    ]
    boxes = [(n, 1) for n in range(1, 21)] + [(n, 2) for n in range(1, 6)]
    rows = [
        {"id": k, "image_id": n, "category_id": label, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
        for k, (n, label) in enumerate(boxes, 1)
    ]
    labels = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 3, "name": "never"}]
    document = {"images": images, "categories": labels, "annotations": rows}
    (folder / "clips.json").write_text(json.dumps(document))
    return folder


def names_of(path):
    return [image["file_name"] for image in json.loads(path.read_text())["images"]]


def test_parts_are_written_to_their_places_and_together_are_the_whole(run, clips):
    result = run("split", "clips.json", "{split}.json", *SHARES)
    train, val = names_of(clips / "train.json"), names_of(clips / "val.json")
    assert (len(train), len(val)) == (15, 5)
    assert sorted(train + val) == sorted(names_of(clips / "clips.json"))
    line = next(line for line in result.stdout.splitlines() if line.strip().startswith("train"))
    assert line.split() == ["train", "75.0", "%", "15", "75.0", "%", "19", "2", "of", "2"]
    assert result.stdout.endswith("wrote train.json, val.json\n")
    run("merge", "train.json", "val.json", "all.json")
    whole, again = (json.loads((clips / name).read_text()) for name in ("clips.json", "all.json"))
    assert sorted(again["images"], key=lambda item: item["id"]) == whole["images"]
    assert again["categories"] == whole["categories"]
    rows = sorted(again["annotations"], key=lambda item: item["id"])
    assert [{key: row[key] for key in whole["annotations"][0]} for row in rows] == whole["annotations"]


def test_the_document_says_what_each_part_has(run_json, clips):
    document = run_json("splitting", "split", "clips.json", "{split}.json", *SHARES, "--seed", "3")
    assert document["seed"] == 3
    assert document["groups"] is None
    assert document["found"] == {"images": 20, "labels": 3, "annotations": 25}
    assert [(part["name"], part["share"], part["target"]) for part in document["parts"]] == [
        ("train", 0.75, "train.json"),
        ("val", 0.25, "val.json"),
    ]
    assert sum(part["counts"]["annotations"] for part in document["parts"]) == 25
    assert all(part["missing_labels"] == [] for part in document["parts"])


def test_the_seed_decides_and_the_order_of_the_images_does_not(run, clips):
    def val(source, *more):
        run("split", source, "out-{split}.json", *SHARES, *more)
        return set(names_of(clips / "out-val.json"))

    document = json.loads((clips / "clips.json").read_text())
    document["images"].reverse()
    (clips / "turned.json").write_text(json.dumps(document))
    assert val("clips.json") == val("clips.json") == val("turned.json")
    assert len({frozenset(val("clips.json", "--seed", seed)) for seed in range(4)}) > 1


@pytest.mark.parametrize("how", [["--group", "^(clip.)_"], ["--group", "clip[0-9]"], ["--group-field", "clip"]])
def test_groups_stay_together(run, run_json, clips, how):
    document = run_json("splitting", "split", "clips.json", "{split}.json", *SHARES, *how, "--by", "none")
    assert document["groups"] == 4
    assert len({name[:5] for name in names_of(clips / "val.json")}) == 1
    assert [part["missing_labels"] for part in document["parts"]] in ([[], ["dog"]], [["dog"], []])


def test_groups_may_be_a_column_of_a_file(run_json, clips):
    rows = "".join(f"{name},{'night' if '3' in name[:5] else 'day'}\n" for name in names_of(clips / "clips.json"))
    (clips / "light.csv").write_text(f"image,light\n{rows}")
    arguments = [*SHARES, "--group-field", "light", "--attributes", "light.csv"]
    document = run_json("splitting", "split", "clips.json", "{split}.json", *arguments)
    assert document["groups"] == 2
    assert {name[:5] for name in names_of(clips / "val.json")} == {"clip3"}


def test_labels_that_a_part_lacks_are_named(run, clips):
    result = run("split", "clips.json", "{split}.json", *SHARES, "--group", "^(clip.)_")
    assert "no annotations in" in result.stdout
    assert "of dog" in result.stdout


def test_one_folder_holds_all_parts_where_the_format_has_splits(run, run_json, clips):
    (clips / "images").mkdir()
    for name in names_of(clips / "clips.json"):
        Image.new("RGB", (40, 30)).save(clips / "images" / name)
    document = run_json("splitting", "split", "clips.json", "out", "--to", "yolo", *SHARES, "--images", "link")
    assert [part["target"] for part in document["parts"]] == ["out", "out"]
    assert [part["counts"]["images"] for part in document["parts"]] == [15, 5]
    assert len(list((clips / "out/images/train").iterdir())) == 15
    assert len(list((clips / "out/labels/val").iterdir())) == 5
    again = run_json("splitting", "split", "out", "new-{split}", *SHARES, "--seed", "1", "--images", "copy")
    assert [part["target"] for part in again["parts"]] == ["new-train", "new-val"]
    assert len(list((clips / "new-val/images/val").iterdir())) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["out.json", *SHARES],
            "DST 'out.json' has no {split} where the names of the parts go, such as '{split}.json'",
        ),
        (["{split}.json", "--share", "train=0.5"], "together they are 1: 0.5 are 0.5"),
        (["{split}.json", "--share", "a=1/3", "--share", "a=2/3"], "two parts of one name"),
        (["{split}.json", "--share", "a=1.5", "--share", "b=-0.5"], "each is above 0"),
        (["{split}.json", "--share", "../a=1"], "a name is of letters"),
        (["{split}.json", "--share", "a=x"], "expected a share such as"),
        (["{split}.json", "--share", "a=1/0"], "expected a share such as"),
        (["{split}.json", *SHARES, "--group", "("], "--group '('"),
        (["{split}.json", *SHARES, "--group", "clip0"], "15 of 20 images are of no group, 'clip1_0.jpg'"),
        (["{split}.json", *SHARES, "--group-field", "site"], "20 of 20 images are of no group"),
        (["{split}.json", *SHARES, "--group", "c", "--group-field", "clip"], "one or the other"),
        (["{split}.json", *SHARES, "--attributes", "clips.json"], "Give --group-field"),
        (["{split}.json", *SHARES, "--group", "clip"], "2 parts of 1 groups of images"),
    ],
)
def test_what_cannot_be_split_is_said(run, clips, arguments, message):
    assert message in run("split", "clips.json", *arguments, code=2).stderr
    assert not list(clips.glob("train*"))


def test_no_part_is_written_where_another_one_has_no_place(run, clips):
    (clips / "out-val").mkdir()
    (clips / "out-val" / "kept.txt").write_text("mine")
    refused = run("split", "clips.json", "out-{split}", "--to", "voc", *SHARES, code=2)
    assert "out-val" in refused.stderr
    assert "something that is there already" in refused.stderr
    assert not (clips / "out-train").exists()


def test_splits_that_a_folder_cannot_hold_are_refused(run, clips):
    refused = run("split", "clips.json", "out", "--to", "yolo", "--share", "holdout=1", code=2)
    assert "a folder of yolo has the splits train, val, valid, test, minival, not holdout" in refused.stderr
    run("split", "clips.json", "out-{split}", "--to", "yolo", "--share", "holdout=1")


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if formats.get(name).splits])
def test_every_split_that_a_format_says_it_holds_comes_back(run, clips, name):
    held = formats.get(name).splits
    shares = [part for split in held for part in ("--share", f"{split}=1/{len(held)}")]
    run("split", "clips.json", "out", "--to", name, *shares)
    images = formats.read(clips / "out", name, images=formats.read(clips / "clips.json")).images
    told = {images.extras[place]["split"] for place in range(len(images))}
    assert told == set(held) - ({"valid"} if "val" in held else set())  # valid is another word for val


def test_a_third_is_a_third(run, clips):
    run("split", "clips.json", "{split}.json", "--share", "a=1/3", "--share", "b=1/3", "--share", "c=1/3")
    assert sorted(len(names_of(clips / f"{name}.json")) for name in "abc") == [6, 7, 7]


# --- sample ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "number"), [("4", 4), ("25%", 5), ("0.1%", 1), ("20", 20)])
def test_so_many_images_are_drawn(run_json, clips, count, number):
    document = run_json("selection", "sample", "clips.json", "few.json", "--count", count)
    assert document["counts"]["images"] == number == len(names_of(clips / "few.json"))
    assert document["found"]["images"] == 20
    assert document["counts"]["labels"] == 3


def test_the_same_seed_draws_the_same_images(run, clips):
    drawn = []
    for seed in (0, 0, 1, 2):
        run("sample", "clips.json", "few.json", "--count", "4", "--seed", seed)
        drawn.append(tuple(names_of(clips / "few.json")))
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_samples_may_be_of_whole_groups(run, clips):
    result = run("sample", "clips.json", "few.json", "--count", "25%", "--group", "^(clip.)_")
    assert len({name[:5] for name in names_of(clips / "few.json")}) == 1
    assert "images       5 of 20" in result.stdout


@pytest.mark.parametrize("count", ["0", "21", "x", "-3", "0%", "101%"])
def test_impossible_counts_are_refused(run, clips, count):
    refused = run("sample", "clips.json", "few.json", f"--count={count}", code=2)
    assert "expected a number of images" in refused.stderr or "from 1 to 20 can be drawn" in refused.stderr
    assert not (clips / "few.json").exists()
