"""A gate's result in the forms that continuous integration reads: JUnit XML and GitHub annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from rapideval.report.github import workflow_command
from rapideval.report.text import clean
from rapideval.report.verdicts import subject

if TYPE_CHECKING:
    from rapideval.judge import GateResult, Outcome

__all__ = ["gate_annotations", "gate_junit"]


def gate_junit(result: GateResult) -> str:
    """JUnit XML: a test case for each outcome; inconclusive and insufficient ones that do not fail are skipped."""
    cases, failures, skipped = [], 0, 0
    for one in result.outcomes:
        head = f'    <testcase classname="rapideval.gate" name={quoteattr(_name(one))}'
        if one.counts_as == "fail":
            failures += 1
            body = f"<failure type={quoteattr(one.verdict)} message={quoteattr(clean(one.reason))}/>"
        elif one.verdict == "pass":
            cases.append(f"{head}/>")
            continue
        else:
            skipped += 1
            reason = one.waived if one.waived is not None else one.reason
            body = f"<skipped message={quoteattr(f'{one.verdict}: {clean(reason)}')}/>"
        cases.append(f"{head}>\n      {body}\n    </testcase>")
    counts = f'tests="{len(result.outcomes)}" failures="{failures}" errors="0" skipped="{skipped}"'
    properties = "\n".join(
        f"    <property name={quoteattr(name)} value={quoteattr(value)}/>"
        for name, value in (("verdict", result.verdict), ("policy", result.policy), ("tool", result.provenance.tool))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites {counts}>\n  <testsuite name="rapideval gate" {counts}>\n'
        f"    <properties>\n{properties}\n    </properties>\n" + "\n".join(cases) + "\n  </testsuite>\n</testsuites>\n"
    )


def _name(one: Outcome) -> str:
    label = f" [{clean(one.label)}]" if one.label is not None else ""
    return f"{clean(one.rule)}{label} ({one.kind})"


def gate_annotations(result: GateResult) -> str:
    """GitHub workflow commands: an error for each failure, a warning for each doubt, a notice with the verdict."""
    lines = []
    for one in result.outcomes:
        if one.verdict == "pass" or one.waived is not None:
            continue
        level = "error" if one.counts_as == "fail" else "warning"
        lines.append(workflow_command(level, f"{subject(one)}: {one.reason}", title=f"gate: {_name(one)}"))
    lines.append(workflow_command("notice", result.verdict, title="gate"))
    return "".join(lines)
