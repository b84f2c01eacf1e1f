"""What GeoJSON documents become, and what is refused, as RFC 7946 defines it."""

import json

import numpy as np
import pytest

from rapideval import Images, formats
from rapideval.errors import FormatError, UsageError

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[2, 2], [2, 8], [8, 8], [8, 2], [2, 2]]
ISLAND = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]


def feature(*rings, **properties):
    geometry = {"type": "Polygon", "coordinates": list(rings)} if rings else None
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(*features, **options):
    document = {"type": "FeatureCollection", "features": list(features)}
    return formats.read(json.dumps(document).encode(), "geojson", **options)


def rules(data):
    return [note.rule for note in data.notes]


def test_polygons_become_outlines_with_holes():
    data = read(feature(SQUARE, HOLE, label="lake", score=0.5, image="a.jpg", depth=3))
    rows = data.annotations
    assert data.images.names == ("a.jpg",)
    assert data.labels.names == ("lake",)
    assert rows.score.tolist() == [0.5]
    assert [ring.tolist() for ring in rows.polygons.rings(0)] == [SQUARE[:-1], HOLE[:-1]]
    assert rows.polygons.holes(0).tolist() == [False, True]
    assert rows.box.tolist() == [[0, 0, 10, 10]]
    assert rows.extras[0] == {"depth": 3}
    assert rows.where(0) == "<bytes>: $.features[0]"
    assert rules(data) == []


def test_an_island_in_a_hole_is_painted_after_the_hole_in_whatever_order_it_stands():
    for parts in ([[SQUARE, HOLE], [ISLAND]], [[ISLAND], [SQUARE, HOLE]]):
        geometry = {"type": "MultiPolygon", "coordinates": parts}
        data = read({"type": "Feature", "geometry": geometry, "properties": {"label": "x"}})
        mask = data.annotations.polygons.rasterise([[10, 10]])
        assert mask.area.tolist() == [100 - 36 + 4]


def test_points_and_lines_are_counted_as_skipped():
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": None}
    line = {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "properties": None}
    data = read(feature(SQUARE, label="x"), point, point, line, feature())
    assert len(data) == 1
    (note,) = data.notes
    assert (note.rule, note.count) == ("geometry-skipped", 4)
    assert "1 × LineString, 2 × Point, 1 × null" in note.found


def test_a_collection_of_geometries_in_a_feature_is_one_annotation():
    geometry = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Polygon", "coordinates": [SQUARE]}, {"type": "Point", "coordinates": [1, 2]}],
    }
    data = read({"type": "Feature", "geometry": geometry, "properties": {"label": "x"}})
    assert len(data) == 1
    assert rules(data) == ["geometry-skipped"]


def test_the_label_is_the_property_that_every_feature_has():
    assert read(feature(SQUARE, name="UT", classification={"name": "Tumour"})).labels.names == ("Tumour",)
    assert read(feature(SQUARE, name="UT", id=3)).labels.names == ("UT",)
    assert read(feature(SQUARE, **{"class": 7})).labels.names == ("7",)
    data = read(feature(SQUARE, building="yes"), label_property="building")
    assert data.labels.names == ("yes",)
    with pytest.raises(UsageError, match="label_property='roof': no feature has it so; there are building"):
        read(feature(SQUARE, building="yes"), label_property="roof")


def test_features_without_a_label_are_told():
    data = read(feature(SQUARE, label="x"), feature(SQUARE))
    assert data.labels.names == ("x", "object")
    assert rules(data) == ["label-missing"]
    assert data.notes[0].where == "<bytes>: $.features[1]"


def test_a_classification_keeps_what_it_has_beside_its_name():
    data = read(feature(SQUARE, classification={"name": "Tumour", "color": [1, 2, 3]}))
    assert data.annotations.extras[0] == {"classification": {"name": "Tumour", "color": [1, 2, 3]}}


def test_a_score_is_a_number_that_every_feature_has():
    assert read(feature(SQUARE, label="x", conf=0.25)).annotations.score.tolist() == [0.25]
    data = read(feature(SQUARE, label="x", conf=0.25), feature(SQUARE, label="x"))
    assert not data.scored
    assert data.annotations.extras[0] == {"conf": 0.25}
    assert read(feature(SQUARE, label="x", p=1), score_property="p").annotations.score.tolist() == [1]


def test_images_are_those_given_or_named_after_the_file(tmp_path):
    path = tmp_path / "slide-7.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature(SQUARE, label="x")]}))
    assert formats.read(path).images.names == ("slide-7",)
    images = Images(["slide.tif"], sizes=[[20, 20]])
    data = formats.read(path, images=images)
    assert data.images is images
    assert data.with_masks().annotations.masks.area.tolist() == [100]


def test_text_ids_are_kept_as_a_further_field():
    data = read(feature(SQUARE, label="x") | {"id": "6423a977"})
    assert data.annotations.ids is None
    assert data.annotations.extras[0] == {"id": "6423a977"}
    assert read(feature(SQUARE, label="x") | {"id": 7}).annotations.ids.tolist() == [7]


def test_another_reference_system_is_told():
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32616"}}
    document = {"type": "FeatureCollection", "crs": crs, "features": [feature(SQUARE, label="x")]}
    data = formats.read(json.dumps(document).encode(), "geojson")
    assert rules(data) == ["geojson-crs"]
    assert data.info == {"crs": crs}


def test_degrees_become_pixels_where_the_transform_is_given():
    ring = [[13.0, 52.0], [13.0, 51.9], [13.1, 51.9], [13.1, 52.0], [13.0, 52.0]]
    data = read(feature(ring, label="x"), transform=[0.01, 0, 13.0, 0, -0.01, 52.0])
    np.testing.assert_allclose(data.annotations.polygons.coordinates, [[0, 0], [0, 10], [10, 10], [10, 0]], atol=1e-9)


def test_polygons_that_cross_themselves_are_told():
    data = read(feature([[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]], label="x"))
    (note,) = data.notes
    assert note.rule == "geometry-invalid"
    assert "Self-intersection" in note.found


def test_lenient_reading_takes_what_is_only_advised_against():
    nested = {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": [SQUARE]}]}
    outside = [[2, 2], [2, 18], [8, 18], [8, 2], [2, 2]]
    for item in (
        feature(SQUARE[:-1], label="x"),
        feature([[*point, 1, 2] for point in SQUARE], label="x"),
        feature(SQUARE, outside, label="x"),
        {"type": "Feature", "geometry": nested, "properties": {"label": "x"}},
    ):
        with pytest.raises(FormatError, match="lenient=True"):
            read(item)
        assert len(read(item, lenient=True)) == 1


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (feature([[0, 0], [1, 1], [0, 0]]), r"features\[0\].geometry.coordinates\[0\]: found a ring of 3 positions"),
        (feature([[0, 0], ["1", 1], [2, 2], [0, 0]]), r"coordinates\[0\]\[1\]: found \['1', 1\], expected 2 or 3 numbers"),  # noqa: E501
        (feature([[0, 0], [True, 1], [2, 2], [0, 0]]), r"coordinates\[0\]\[1\]: found \[True, 1\]"),
        (feature([[0, 0], [1], [2, 2], [0, 0]]), r"coordinates\[0\]\[1\]: found \[1\]"),
        (feature([0, 1, 2]), r"coordinates\[0\]\[0\]: found 0, expected a position"),
        (feature("ring"), r"coordinates\[0\]: found 'ring', expected an array of positions"),
        (feature(SQUARE) | {"bbox": [1, 2]}, r"features\[0\].bbox: found \[1, 2\], expected 4 or 6 numbers"),
        (feature(SQUARE) | {"id": True}, r"features\[0\].id: found True, expected a string or a number"),
        (feature(SQUARE) | {"properties": [1]}, r"features\[0\].properties: found a JSON array, expected an object"),
        (feature(SQUARE) | {"geometry": 3}, r"features\[0\].geometry: found 3, expected a geometry object"),
        ({"type": "Feature"}, r"features\[0\]: found no geometry"),
        ({"type": "feature"}, r"features\[0\].type: found 'feature', expected a Feature"),
        (None, r"features\[0\]: found None, expected a Feature"),
    ],
)  # fmt: skip
def test_a_damaged_feature_is_refused_with_its_place(item, message):
    with pytest.raises(FormatError, match=message):
        read(item)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "json-empty"),
        (b"{", "json-syntax"),
        (b"[]", "geojson-object"),
        (b'{"type": "Topology"}', "geojson-type"),
        (b'{"type": "FeatureCollection", "features": {}}', "geojson-features"),
        (b'{"type": "Polygon", "coordinates": [[[0, 0], [1, NaN], [2, 2], [0, 0]]]}', "json-syntax"),
        (b'{"type": "Polygon", "coordinates": [[[0, 0], [1, 1e400], [2, 2], [0, 0]]]}', "json-syntax"),
        (b'{"type": "Polygon", "coordinates": ' + b"[" * 5000 + b"]" * 5000 + b"}", "json-syntax"),
        (
            b'{"type": "FeatureCollection", "rapideval": {"schema": "rapideval-geojson"}, "features": []}',
            "geojson-header",
        ),
    ],
)
def test_a_damaged_document_is_refused(text, rule):
    with pytest.raises(FormatError) as error:
        formats.read(text, "geojson")
    assert error.value.rule == rule


# --- real files --------------------------------------------------------------------------------------


def test_documents_of_the_schema_repository_are_sorted_exactly(shared_data):
    folder = shared_data / "geojson/rfc7946-schema"
    valid, invalid = sorted(folder.glob("valid/*/*.json")), sorted(folder.glob("invalid/*/*.json"))
    assert (len(valid), len(invalid)) == (30, 36)
    for path in valid:
        formats.read(path, "geojson")
    for path in invalid:
        with pytest.raises(FormatError, match=path.name):
            formats.read(path, "geojson")


# RFC 7946 asks parsers not to reject these (3.1.6), or they were GeoJSON before it (the crs member).
READ_ALL_THE_SAME = {
    "invalid_exterior_not_ccw": "geojson-right-hand",
    "invalid_interior_not_cw": "geojson-right-hand",
    "invalid_featurecollection_crs_defined": "geojson-crs",
    "invalid_crs_defined": "geojson-crs",
}


def test_documents_of_the_validator_are_read_or_refused_as_they_are_named(shared_data):
    folder = shared_data / "geojson/validator"
    refused = []
    for path in sorted(folder.glob("*/*.geojson")):
        try:
            data = formats.read(path)
        except FormatError:
            refused.append(path.stem)
            continue
        if path.stem in READ_ALL_THE_SAME:
            assert READ_ALL_THE_SAME[path.stem] in rules(data)
        else:
            assert not path.stem.startswith("invalid"), path.stem
    # Named problematic for its coordinates, which are no degrees; its ring is not closed either.
    assert [name for name in refused if not name.startswith("invalid")] == ["problematic_outside_lat_lon_boundaries"]
    assert len(refused) == 36


def test_building_footprints_are_read_with_their_reference_system_told(shared_data):
    folder = shared_data / "geojson/buildings"
    truth = formats.read(folder / "gt.geojson", label_property="building")
    found = formats.read(folder / "pred.geojson")
    assert len(truth) == len(found) == 28
    assert truth.labels.names == ("yes",)
    assert found.annotations.score.tolist() == [1] * 28
    assert {"geojson-crs", "score-property"} <= set(rules(found))
    assert len(formats.read(folder / "geotiff_labels.geojson")) == 43


def test_annotations_of_qupath_are_read(shared_data):
    data = formats.read(shared_data / "tool-exports/qupath/qupath05.geojson", "geojson")
    assert len(data) == 3
    assert data.labels.names == ("UT", "I")
    assert data.annotations.extras[0]["objectType"] == "annotation"
