"""QuPath's GeoJSON: what its properties mean, what is written for it, and what is refused."""

import json
import uuid

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels, Polygons, formats
from rapideval.errors import FormatError, UsageError
from rapideval.model import Extras

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]


def feature(ring=SQUARE, kind="Polygon", **properties):
    geometry = {"type": kind, "coordinates": [ring] if kind == "Polygon" else ring}
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation", **properties}}


def read(*features, **options):
    document = {"type": "FeatureCollection", "features": list(features)}
    assert formats.detect(json.dumps(document).encode())[0].name == "qupath"
    return formats.read(json.dumps(document).encode(), **options)


def test_a_real_export_is_what_geojson_reads_of_it(shared_data):
    path = shared_data / "tool-exports/qupath/qupath05.geojson"
    data, plain = formats.read(path), formats.read(path, "geojson")
    assert data.labels.names == plain.labels.names == ("UT", "I")
    assert data.annotations.label.tolist() == plain.annotations.label.tolist()
    assert np.array_equal(data.annotations.polygons.coordinates, plain.annotations.polygons.coordinates)
    assert data.images.names == plain.images.names == ("qupath05",)
    assert data.annotations.extras[0] == {"id": "6423a977-ffff-48db-affc-cd11632010f0", "color": [255, 0, 0]}


def test_the_label_is_the_classification_else_the_name():
    data = read(
        feature(classification={"name": "Tumor", "color": [1, 2, 3]}),
        feature(classification={"names": ["Tumor", "Positive"]}, name="first"),
        feature(classification="Stroma"),
        feature(name="Vessel"),
        feature(),
    )
    assert [row.label for row in data] == ["Tumor", "Tumor: Positive", "Stroma", "Vessel", "object"]
    assert [note.rule for note in data.notes] == ["label-missing"]
    extras = data.annotations.extras
    assert extras[0] == {"classification": {"name": "Tumor", "color": [1, 2, 3]}}
    assert extras[1] == {"classification": {"names": ["Tumor", "Positive"]}, "name": "first"}
    assert extras[3] == {}


def test_the_measurement_score_is_a_score_where_all_have_it():
    today, before = {"score": 0.5, "Area": 3}, [{"name": "score", "value": 0.25}]
    data = read(feature(measurements=today), feature(measurements=before))
    assert data.annotations.score.tolist() == [0.5, 0.25]
    assert data.annotations.extras[0] == {"measurements": {"Area": 3}}
    some = read(feature(measurements=today), feature())
    assert not some.scored
    assert some.annotations.extras[0] == {"measurements": today}


def test_children_are_read_and_lines_are_told():
    child = feature(objectType="detection", classification={"name": "cell"})
    data = read(
        feature(classification={"name": "region"}, childObjects=[child, child]),
        feature([[0, 0], [1, 1]], "LineString"),
        {"type": "Feature", "geometry": None, "properties": {"objectType": "root"}},
    )
    assert [row.label for row in data] == ["region", "cell", "cell"]
    assert data.annotations.extras[1] == {"objectType": "detection"}
    assert {note.found for note in data.notes} == {"1 × LineString: no area", "1 × null: no area"}


def test_an_island_in_a_hole_stays_wherever_it_stands():
    outer, hole, island = ([[a, a], [b, a], [b, b], [a, b], [a, a]] for a, b in ((0.0, 12.0), (2.0, 10.0), (4.0, 8.0)))
    item = feature(classification={"name": "x"})
    item["geometry"] = {"type": "MultiPolygon", "coordinates": [[island], [outer, hole]]}
    assert read(item).annotations.polygons.rasterise([[12, 12]]).area.tolist() == [144 - 64 + 16]


def test_a_file_is_written_as_qupath_wants_it(tmp_path):
    rings = [[[0, 0], [9, 0], [9, 9], [0, 9]], [[2, 2], [6, 2], [6, 6]]]
    nucleus = {"type": "Point", "coordinates": [1, 1]}
    kept = {"id": str(uuid.UUID(int=7)), "isLocked": True, "objectType": "cell", "nucleusGeometry": nucleus}
    kept["classification"] = {"name": "another", "color": [9, 9, 9]}
    rows = Annotations(
        [0, 0], [0, 0], [[0, 0, 9, 9], [1, 2, 3, 4]], [0.5, 0.25],
        polygons=Polygons.from_rings([rings, []], [[False, True], []]), extras=Extras.from_dicts([kept, None]),
    )  # fmt: skip
    data = Dataset(Images(["d/a.svs", "b.svs"]), Labels(["Tumor"]), rows)
    assert not formats.write(data, tmp_path / "out", "qupath").counts()
    first, second = json.loads((tmp_path / "out/d/a.svs.geojson").read_bytes())["features"]
    assert first["id"] == kept["id"]
    assert first["nucleusGeometry"] == nucleus
    assert first["properties"] == {
        "objectType": "cell",
        "classification": {"name": "Tumor", "color": [9, 9, 9]},
        "isLocked": True,
        "measurements": {"score": 0.5},
    }
    outer, hole = (np.array(ring) for ring in first["geometry"]["coordinates"])
    assert all((ring[0] == ring[-1]).all() for ring in (outer, hole))
    assert [np.sign(np.sum(r[:-1, 0] * r[1:, 1] - r[1:, 0] * r[:-1, 1])) for r in (outer, hole)] == [1, -1]
    assert second["properties"]["metadata"] == {"shape": "box"}
    assert uuid.UUID(second["id"]).version == 5
    assert json.loads((tmp_path / "out/b.svs.geojson").read_bytes())["features"] == []
    back = formats.read(tmp_path / "out")
    assert sorted(back.images.keys) == ["b.svs", "d/a.svs"]
    assert back.annotations.polygons.present.tolist() == [True, False]
    assert back.annotations.box[1].tolist() == [1, 2, 3, 4]


def test_a_box_that_somebody_reshaped_is_an_outline():
    data = read(feature([[0, 0], [4, 0], [4, 4], [1, 5], [0, 0]], metadata={"shape": "box", "by": "me"}, name="x"))
    assert data.annotations.polygons.present.tolist() == [True]
    assert data.annotations.extras[0] == {"metadata": {"by": "me"}}


def test_a_file_is_of_the_image_that_is_given(tmp_path):
    (tmp_path / "slide.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature(name="x")]}))
    assert formats.read(tmp_path / "slide.geojson").images.keys == ("slide",)
    several = Images(["other.svs", "d/slide.svs"])
    assert formats.read(tmp_path, images=several).annotations.image.tolist() == [1]
    assert formats.read(tmp_path / "slide.geojson", images=Images(["x.tif"])).images.keys == ("x.tif",)


def test_fields_that_would_mean_something_else_are_told():
    extras = Extras.from_dicts([{"id": 5}, {"classification": "x"}, {"metadata": {"a": "b"}}])
    data = Dataset(Images(["a"]), Labels(["c"]), Annotations([0] * 3, [0] * 3, [[0, 0, 1, 1]] * 3, extras=extras))
    assert formats.losses(data, "qupath").counts() == {"attributes": 2}


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (feature(measurements={"score": 5}), r"\$.features\[0\].properties.measurements.score: found 5"),
        (feature([[0, 0], [1]]), r"\$.features\[0\].geometry"),
        (feature(classification={"name": 3}), "classification.name: found 3, expected a text"),
    ],
)
def test_a_feature_that_cannot_be_is_refused(item, says):
    with pytest.raises(FormatError, match=says):
        read(item)


def test_two_images_in_one_file_are_refused(tmp_path):
    data = Dataset(Images(["A.svs", "a.svs"]), Labels([]), Annotations([], [], []))
    with pytest.raises(UsageError, match="would share the file"):
        formats.write(data, tmp_path / "out", "qupath")
