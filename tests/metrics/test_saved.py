"""Evaluations as files."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from rapideval import Evaluation, Protocol, evaluate
from rapideval.errors import FormatError, InputError
from rapideval.metrics.guards import RULES
from tests.helpers.coco_oracle import problems
from tests.helpers.datasets import datasets
from tests.helpers.rows import BOX, FAR, small
from tests.metrics.test_per_label import random_evaluation


@settings(max_examples=20, deadline=None)
@given(problem=problems())
def test_what_is_saved_comes_back(problem, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "evaluation.parquet"
    evaluation = evaluate(*datasets(problem, "bbox"), allow=RULES)
    evaluation.save(path)
    loaded = Evaluation.load(path)
    assert loaded.matches.fingerprint() == evaluation.matches.fingerprint()
    assert loaded.fingerprints == evaluation.fingerprints
    assert loaded.counts == evaluation.counts
    assert loaded.notes == evaluation.notes
    assert repr(loaded) == repr(evaluation)


def test_the_same_evaluation_gives_the_same_bytes(tmp_path):
    random_evaluation(0).save(tmp_path / "a.parquet")
    random_evaluation(0).save(tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_protocols_of_many_words_and_without_labels(tmp_path):
    truth, found = small([(0, 0, BOX)], [(0, 1, BOX, 0.9), (1, 0, FAR, 0.8)])
    protocol = Protocol(iou_thresholds=tuple(np.linspace(0.1, 0.9, 30)), class_agnostic=True)
    evaluation = evaluate(truth, found, protocol=protocol)
    evaluation.save(tmp_path / "e.parquet")
    loaded = Evaluation.load(tmp_path / "e.parquet")
    assert loaded.matches.matched.shape == (2, 2)
    assert loaded.matches.label.tolist() == [1, 0]
    assert loaded.protocol == protocol
    assert loaded.summary == pytest.approx(evaluation.summary, nan_ok=True)


def test_a_saved_evaluation_is_small_and_open_to_other_readers(tmp_path):
    rng = np.random.default_rng(0)
    images, labels, x = rng.integers(0, 500, 20000), rng.integers(0, 2, 20000), rng.random(20000) * 50
    columns = images.tolist(), labels.tolist(), [[v, 5.0, 20.0, 20.0] for v in x.tolist()], rng.random(20000).tolist()
    rows = list(zip(*columns, strict=True))
    truth, found = small([row[:3] for row in rows[:2000]], rows, images=500)
    evaluate(truth, found).save(tmp_path / "e.parquet")
    assert (tmp_path / "e.parquet").stat().st_size / 20000 < 40
    frame = pq.read_table(tmp_path / "e.parquet").to_pandas()
    assert frame["kind"].value_counts().to_dict() == {"detection": 20000, "object": 2000, "image": 500}


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Evaluation.load(tmp_path / "none.parquet")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "e.parquet"
    path.write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(FormatError, match="damaged"):
        Evaluation.load(path)
    import pyarrow as pa

    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(FormatError, match="without rapideval's document"):
        Evaluation.load(path)


def test_a_flipped_byte_is_found(tmp_path):
    path = tmp_path / "e.parquet"
    random_evaluation(0).save(path)
    data = bytearray(path.read_bytes())
    group = pq.ParquetFile(path).metadata.row_group(0)
    column = next(group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == "score")
    data[column.data_page_offset + column.total_compressed_size - 5] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        Evaluation.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "version 99"),
        ({"format": "rapideval/other"}, "format 'rapideval/other'"),
        ({"label_offsets": [0, 5, 2, 200]}, "do not fit"),
        ({"labels": ["a"]}, "does not fit"),
        ({"protocol": {"task": "detection", "surprise": 1}}, "no protocol field 'surprise'"),
        ({"columns": {"detection": ["score"]}}, "does not fit"),
    ],
)
def test_documents_that_do_not_fit_are_refused(tmp_path, change, message):
    path = tmp_path / "e.parquet"
    random_evaluation(0).save(path)
    table = pq.ParquetFile(path)
    document = json.loads(table.metadata.metadata[b"rapideval"]) | change
    with pq.ParquetWriter(tmp_path / "changed.parquet", table.schema_arrow) as writer:
        for number in range(table.num_row_groups):
            writer.write_table(table.read_row_group(number))
        writer.add_key_value_metadata({"rapideval": json.dumps(document)})
    with pytest.raises(FormatError, match=message):
        Evaluation.load(tmp_path / "changed.parquet")
