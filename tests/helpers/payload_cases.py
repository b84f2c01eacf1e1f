"""What the fixtures of fixtures/payloads must give, kept beside them.

    PYTHONPATH=.:tests python -m tests.helpers.payload_cases

writes expected.json and messages.json anew from what `parse` gives now, with the options that stand there. Read the
difference before you commit it: these files are the promise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rapideval import Answer, Dataset, parse
from rapideval.errors import InputError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "payloads"
READ = ("accepted", "services")


def cases(folder: str) -> dict[str, dict[str, Any]]:
    """Options and expectation of each fixture of a folder, by file name."""
    name = "expected.json" if folder in READ else "messages.json"
    stored: dict[str, dict[str, Any]] = json.loads((FIXTURES / folder / name).read_text("utf-8"))
    return stored


def told(folder: str, name: str, options: dict[str, Any]) -> Answer:
    """Answer of a fixture; messages call it by its name alone."""
    return parse(FIXTURES / folder / name, name=name, **options)


def expectation(answer: Answer) -> dict[str, Any]:
    """What expected.json says of an answer, besides the options."""
    said: dict[str, Any] = {"status": answer.status}
    if answer.payload:
        said["payload"] = answer.payload
    if answer.detail:
        said["detail"] = answer.detail
    if answer.dataset is not None:
        said["images"] = list(answer.dataset.images.keys)
        if answer.dataset.images.sizes.any():
            said["sizes"] = answer.dataset.images.sizes.tolist()
        said["annotations"] = [_annotation(answer.dataset, row) for row in range(len(answer.dataset))]
    if answer.notes:
        said["notes"] = [str(note) for note in answer.notes]
    return said


def _annotation(dataset: Dataset, index: int) -> dict[str, Any]:
    row = dataset[index]
    said: dict[str, Any] = {
        "image": row.image,
        "label": row.label,
        "box": [round(number, 9) for number in row.box],
        "score": row.score,
        "area": round(row.area, 9),
    }
    if row.masks is not None:
        said |= {"size": row.masks.sizes[0].tolist(), "runs": row.masks.runs(0).tolist()}
    if row.rings:
        said["rings"] = [[[round(number, 9) for number in point] for point in ring.tolist()] for ring in row.rings]
    extras = dataset.annotations.extras
    if extras is not None and extras[index]:
        said["extras"] = extras[index]
    return said | {"where": dataset.annotations.where(index)}


def message(folder: str, name: str, options: dict[str, Any]) -> str:
    """Message with which a fixture is refused."""
    try:
        told(folder, name, options)
    except InputError as error:
        return str(error)
    raise AssertionError(f"{name} is read")


def _write(path: Path, content: dict[str, Any]) -> None:
    lines = (f" {json.dumps(name)}: {json.dumps(case, ensure_ascii=False)}" for name, case in content.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    for part in READ:
        options = {name: case["options"] for name, case in cases(part).items()}
        answers = {name: {"options": given} | expectation(told(part, name, given)) for name, given in options.items()}
        _write(FIXTURES / part / "expected.json", answers)
    refused = {name: case["options"] for name, case in cases("refused").items()}
    messages = {name: {"options": given, "message": message("refused", name, given)} for name, given in refused.items()}
    _write(FIXTURES / "refused" / "messages.json", messages)
