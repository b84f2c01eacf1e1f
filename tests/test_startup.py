"""What a command loads before it works: start-up is kept short by what is not imported."""

from __future__ import annotations

import json
import subprocess
import sys

PROBE = """
import json, sys
before = set(sys.modules)
{code}
added = set(sys.modules) - before
print(json.dumps(sorted(added)), file=sys.stderr)
"""

RUN = """
from rapideval.cli import main
try:
    main({arguments!r}, prog_name="rapideval")
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(code):
    """Modules that a fresh interpreter loads for this code."""
    done = subprocess.run([sys.executable, "-c", PROBE.format(code=code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def packages(modules):
    """Top-level packages among them that are not Python's own."""
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)


def of_the_project(modules):
    return {name for name in modules if name.partition(".")[0] == "rapideval"}


def test_importing_the_package_loads_nothing_else():
    modules = loaded("import rapideval")
    assert modules - loaded("import typing") == {"__future__", "rapideval"}


def test_help_loads_click_and_no_verb():
    modules = loaded(RUN.format(arguments=["--help"]))
    assert packages(modules) == {"click", "rapideval"}
    assert of_the_project(modules) == {"rapideval", "rapideval.cli", "rapideval.cli.group", "rapideval.cli.help"}


def test_the_help_of_a_verb_loads_no_kernels_and_no_arrays():
    for verb in verbs():
        modules = loaded(RUN.format(arguments=[verb, "--help"]))
        assert packages(modules) == {"click", "rapideval"}, verb


def verbs():
    from rapideval.cli.group import VERBS

    return list(VERBS)
