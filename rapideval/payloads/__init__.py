"""Answers of inference endpoints become canonical objects.

>>> from rapideval import parse
>>> answer = parse({"results": [{"boxes": [[1, 2, 3, 5]], "scores": [0.9], "labels": ["car"]}]}, images=["a.jpg"])
>>> answer.status, answer.dataset
('finished', Dataset(1 image, 1 label, 1 prediction))

The way of an answer, a module a step:

`text`
    bytes, text, files -> a light tree (strict JSON; dense bitmasks are run lengths already), and the strings within
    that hold documents of their own; `lenient` mends, `objects` takes what is decoded already.
`envelope`
    the tree -> tasks, each with a status and, where finished, its payload. Pending and failed are a status.
`registry`
    the payload's shape (or ``payload=``) -> the service whose module reads it.
`keys`
    names for the images: answers carry none, their order is the only link.
`rapid`, ...
    a service's payload -> rows; `rows` checks boxes, scores and labels, `masks` reads masks.
`parsing`
    all of this in order -> `Answer`: `status`, `tasks`, `dataset`, `notes`.
`folder`
    recorded answers, a file each -> one `Answer`.
`write`
    a `Dataset` -> payloads.

Conventions that an answer leaves open are stated once:

- Images that nobody names are called ``#0``, ``#1``, ...; the notes warn, and they join with nothing.
- A semantic mask has no label: it gets the only name in ``labels``, else ``semantic_label`` (``"foreground"``).
  It is a row without score, an empty mask too.
- An integer label without a list of names becomes its text, ``"1"``.
- Boxes given beside masks are kept as given; the area is the mask's.
- Problems carry the rules M1 to M37 (malformed shapes) or a name (``image-duplicate``); a place reads
  ``answer.json: $.result -> $[0].boxes[3][2]``, where the arrow opens a string that holds JSON.
"""

from rapideval.payloads.answer import Answer, Status, Task
from rapideval.payloads.folder import answer_files, read_answers
from rapideval.payloads.parsing import parse
from rapideval.payloads.redact import redact, unsigned_url
from rapideval.payloads.registry import SERVICES, Service
from rapideval.payloads.write import payload_text, to_payload

__all__ = [
    "SERVICES",
    "Answer",
    "Service",
    "Status",
    "Task",
    "answer_files",
    "parse",
    "payload_text",
    "read_answers",
    "redact",
    "to_payload",
    "unsigned_url",
]
