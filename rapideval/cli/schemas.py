"""The documents that are read and written, and their JSON Schemas, made from the types.

``rapideval schema --write schemas`` writes them all.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import textwrap
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from rapideval.errors import UsageError

__all__ = ["DOCUMENTS", "Document", "document_type", "schema", "schema_text", "write_schemas"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Document(NamedTuple):
    """A document.

    Attributes
    ----------
    type
        Module and name of its type.
    title
        What it is.
    """

    type: str
    title: str


def _payloads(name: str) -> str:
    return f"rapideval.payloads.types:DOCUMENTS[{name}]"


DOCUMENTS: dict[str, Document] = {
    "evaluation": Document("rapideval.metrics.document:EvaluationDocument", "rapideval evaluate --json"),
    "saved-evaluation": Document(
        "rapideval.metrics.document:SavedEvaluation", "metadata of a saved evaluation (Parquet, key rapideval)"
    ),
    "inspection": Document("rapideval.report.inspection:Inspection", "rapideval inspect --json"),
    "validation": Document("rapideval.cli.documents:Validation", "rapideval validate --json"),
    "conversion": Document("rapideval.cli.documents:Conversion", "rapideval convert --json, --report"),
    "merging": Document("rapideval.cli.documents:Merging", "rapideval merge --json, --report"),
    "splitting": Document("rapideval.cli.documents:Splitting", "rapideval split --json, --report"),
    "selection": Document("rapideval.cli.documents:Selection", "rapideval filter, sample --json, --report"),
    "relabelling": Document("rapideval.cli.documents:Relabelling", "rapideval relabel --json, --report"),
    "demonstration": Document("rapideval.cli.documents:Demonstration", "rapideval demo --json"),
    "formats": Document("rapideval.cli.documents:Formats", "rapideval formats --json"),
    "version": Document("rapideval.cli.documents:Version", "rapideval version --json"),
    "refusal": Document("rapideval.cli.documents:Refusal", "why an input was refused: any command with --json"),
    "comparison": Document("rapideval.judge:Comparison", "rapideval compare --json"),
    "gate-result": Document("rapideval.judge:GateResult", "rapideval gate --json"),
    "review": Document("rapideval.metrics.review:Review", "rapideval review --json"),
    "runs": Document("rapideval.judge.history:RunList", "rapideval runs --json"),
    "run": Document("rapideval.judge.history:Run", "rapideval runs show --json"),
    "prediction": Document("rapideval.cli.documents:Prediction", "rapideval predict --json"),
    "serving": Document("rapideval.cli.documents:Serving", "rapideval serve --json"),
    "gate-policy": Document("rapideval.judge.policy:Policy", "the policy of a gate (TOML)"),
    "rle-header": Document("rapideval.formats.rle_lines:Header", "format rle: the first line"),
    "rle-line": Document("rapideval.formats.rle_lines:MaskLine", "format rle: each further line"),
    "geojson-header": Document(
        "rapideval.formats.geojson_header:GeojsonHeader", "format geojson: the member rapideval beside the features"
    ),
    "result-payload": Document(_payloads("result-payload"), "RESULT_PAYLOAD: an answer, one object an image"),
    "request": Document(_payloads("request"), "what is sent to an endpoint to submit a task"),
    "submitted": Document(_payloads("submitted"), "the answer to a submitted task"),
    "result-envelope": Document(_payloads("result-envelope"), "the answer to a poll"),
    "result-envelope-v1": Document(_payloads("result-envelope-v1"), "the answer to a poll, second generation"),
    "batch-row": Document(_payloads("batch-row"), "a line of a batch job's results"),
    "answers-manifest": Document(_payloads("answers-manifest"), "manifest.json of a folder of recorded answers"),
}


def document_type(name: str) -> Any:
    """The type of a document; UsageError with the nearest names where there is none."""
    if name not in DOCUMENTS:
        from difflib import get_close_matches

        near = get_close_matches(name, DOCUMENTS, n=3)
        raise UsageError(
            f"no schema {name!r}: " + (f"did you mean {' or '.join(near)}?" if near else ", ".join(DOCUMENTS))
        )
    module, _, attribute = DOCUMENTS[name].type.partition(":")
    attribute, _, key = attribute.partition("[")
    found = getattr(import_module(module), attribute)
    return found[key.rstrip("]")] if key else found


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document."""
    import msgspec

    made = msgspec.json.schema(document_type(name))
    definitions = made.pop("$defs", {})
    _describe(document_type(name), definitions)
    top: dict[str, Any] = {"$schema": DIALECT, "$id": f"urn:rapideval:schema:{name}", "title": DOCUMENTS[name].title}
    whole = top | made | ({"$defs": dict(sorted(definitions.items()))} if definitions else {})
    found: dict[str, Any] = _finished(whole)
    return found


def _finished(part: Any) -> Any:
    """What msgspec leaves to be said: which numbers may be null, and whole bounds as whole numbers.

    0 and 0.0 are one to Python, which keeps whichever bound it met first.
    """
    if isinstance(part, list):
        return [_finished(item) for item in part]
    if not isinstance(part, dict):
        return part
    made = {
        key: int(value)
        if key in ("minimum", "maximum") and isinstance(value, float) and value.is_integer()
        else _finished(value)
        for key, value in part.items()
    }
    if made.pop("nullable", None) is True:
        made["type"] = [made["type"], "null"]
    return made


def schema_text(name: str) -> str:
    """The JSON Schema of a document as text that ends with a newline; the same bytes every time."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: str | os.PathLike[str]) -> list[str]:
    """Write all schemas as ``NAME.json``; what else the folder holds of that suffix is taken away."""
    from rapideval.formats import whole_file

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    paths = {target / f"{name}.json": schema_text(name) for name in DOCUMENTS}
    for path, text in paths.items():
        with whole_file(path) as file:
            file.write(text.encode())
    for path in set(target.glob("*.json")) - paths.keys():
        path.unlink()
    return [str(path) for path in paths]


# --- descriptions ----------------------------------------------------------------------------------
#
# msgspec takes a class's docstring as the description of the whole. The first paragraph is enough for that; what is
# said of a single field, below it or in the docstring's table of attributes, becomes the description of that property.


def _describe(of: Any, definitions: dict[str, Any]) -> None:
    import msgspec

    for kind in _classes(msgspec.inspect.type_info(of), set()):
        definition = definitions.get(kind.__name__)
        if definition is None:
            continue
        definition["description"] = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        texts: dict[str, str] = {}
        for base in reversed(kind.__mro__):
            if base.__module__.partition(".")[0] == "rapideval":
                texts |= _attribute_table(base) | _texts_below_fields(base)
        for field, text in texts.items():
            if field in definition.get("properties", {}):
                definition["properties"][field].setdefault("description", text)


def _classes(info: Any, found: set[type]) -> set[type]:
    """Structs and dataclasses that a type, as msgspec sees it, is made of."""
    import msgspec

    if isinstance(info, msgspec.inspect.StructType | msgspec.inspect.DataclassType):
        if info.cls in found:
            return found
        found.add(info.cls)
        parts: list[Any] = [field.type for field in info.fields]
    else:
        parts = [getattr(info, name) for name in info.__struct_fields__]
    for part in parts:
        for item in part if isinstance(part, tuple) else (part,):
            if isinstance(item, msgspec.inspect.Type):
                _classes(item, found)
    return found


def _texts_below_fields(kind: type) -> dict[str, str]:
    """Strings that stand below the fields of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    texts = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            texts[field.target.id] = _line(text.value.value)
    return texts


def _attribute_table(kind: type) -> dict[str, str]:
    """The attributes that a docstring of numpydoc's form lists."""
    documented = inspect.cleandoc(kind.__doc__ or "")
    match = re.search(r"^Attributes\n-+\n(.*?)(?=\n\n\S|\Z)", documented, re.DOTALL | re.MULTILINE)
    texts: dict[str, str] = {}
    for names, text in re.findall(r"^(\S.*)\n((?:[ ]+.*\n?)+)", match[1] if match else "", re.MULTILINE):
        for name in names.split(":")[0].split(","):
            texts[name.strip()] = _line(text)
    return texts


def _line(text: str) -> str:
    return " ".join(text.split()).replace("``", "")
