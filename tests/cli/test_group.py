"""The command itself: what it lists, how it fails, what it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from rapideval.cli import group, main
from rapideval.cli.help import Formatted, Verb
from rapideval.errors import EndpointError, InputError, Problem, UsageError


@pytest.fixture
def failing(monkeypatch):
    """Install a verb that raises what it is given."""

    def install(error, **options):
        @click.command("version", cls=Verb)
        @click.option("--json", "as_json", is_flag=True, callback=group_json, is_eager=True)
        def command(as_json):
            raise error

        monkeypatch.setattr(import_module("rapideval.cli.version"), "command", command)

    def group_json(ctx, _param, value):
        ctx.meta["rapideval.json"] = value
        return value

    return install


def run(*arguments, **options):
    return CliRunner().invoke(main, list(arguments), **options)


@pytest.mark.parametrize("name", group.VERBS)
def test_every_listed_verb_exists_and_has_the_help_that_is_listed(name):
    command = import_module(f"rapideval.cli.{name}").command
    assert isinstance(command, Formatted)
    assert command.name == name
    assert command.get_short_help_str(200).rstrip(".") == group.VERBS[name].help


@pytest.mark.parametrize("name", group.VERBS)
def test_every_verb_has_help_with_examples(name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Examples" in result.output
    assert f"rapideval {name}" in result.output


def test_help_lists_verbs_and_exit_codes():
    output = run("--help").output
    for name, listed in group.VERBS.items():
        assert name in output
        assert listed.help in output
    for code, meaning in group.EXIT_CODES:
        assert f"{code}" in output
        assert meaning in output


def test_help_fits_eighty_columns():
    assert max(map(len, run("--help").output.splitlines())) <= 80


def test_version_option_prints_name_and_version():
    import rapideval

    assert run("--version").output == f"rapideval {rapideval.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vers"], "error: there is no command 'vers'. Did you mean version"),
        (["xyz"], "error: there is no command 'xyz'. See rapideval --help."),
        (["--nonsense"], "error: No such option '--nonsense'"),
        (["version", "--jso"], "Did you mean '--json'?"),
        (["completion"], "error: Missing argument"),
        (["completion", "csh"], "'csh' is not one of"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Try: rapideval" in result.stderr
    assert not result.stdout


def test_without_arguments_help_is_shown_and_the_exit_code_says_wrong_usage():
    result = run()
    assert result.exit_code == 2
    assert "Exit codes" in result.output


def test_refused_input_is_listed_with_rule_place_and_hint(failing):
    problem = Problem("coco-bbox", "p.json: $[3].bbox", "3 numbers", "4 numbers", "is the height missing?", count=12)
    failing(InputError(problem))
    result = run("version")
    assert result.exit_code == 2
    assert result.stderr == (
        "error[coco-bbox]: p.json: $[3].bbox  and 11 more like it\n"
        "  found     3 numbers\n"
        "  expected  4 numbers\n"
        "  hint      is the height missing?\n"
    )
    assert not result.stdout


def test_refused_input_is_a_document_when_json_is_asked_for(failing):
    failing(InputError(Problem("coco-bbox", "p.json: $[3].bbox", "3 numbers"), total=7))
    result = run("version", "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["problem_count"] == 7
    assert document["problems"][0]["rule"] == "coco-bbox"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("these do not go together"), 2, "error: these do not go together\n"),
        (EndpointError("no answer"), 2, "error: no answer\n"),
        (FileNotFoundError(2, "No such file or directory", "gt.json"), 2, "error: gt.json: No such file"),
        (OSError(28, "No space left on device"), 2, "error: No space left on device\n"),
        (MemoryError(), 2, "error: there is not enough memory for this\n"),
        (ModuleNotFoundError("x", name="uvicorn"), 2, "pip install 'rapideval[server]'"),
        (ModuleNotFoundError("x", name="elsewhere.part"), 2, "pip install elsewhere"),
        (click.FileError("a.json", "gone"), 2, "a.json"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (ZeroDivisionError("of all things"), 70, "ZeroDivisionError: of all things\nThis is a fault of rapideval"),
    ],
)
def test_errors_become_a_message_and_an_exit_code_never_a_traceback(failing, error, code, message):
    failing(error)
    result = run("version")
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debug_shows_the_traceback_and_keeps_the_exit_code(failing, how):
    failing(ZeroDivisionError("of all things"))
    result = run("--debug", "version") if how == "option" else run("version", env={"RAPIDEVAL_DEBUG": "1"})
    assert result.exit_code == 70
    assert "Traceback" in result.stderr


def test_an_error_cannot_drive_the_terminal_or_show_a_key(failing):
    failing(UsageError("bad label \x1b[2J of live_0123456789abcdef0123"))
    stderr = run("version").stderr
    assert "\x1b" not in stderr
    assert "live_***" in stderr


def test_colour_is_for_terminals_unless_asked_for(failing):
    failing(UsageError("no"))
    assert run("version").stderr == "error: no\n"
    assert run("version", env={"FORCE_COLOR": "1"}, color=True).stderr == "\x1b[1;31merror:\x1b[0m no\n"
    assert run("version", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}, color=True).stderr == "error: no\n"


def test_completion_lists_verbs_without_importing_them():
    code = (
        "import sys; from rapideval.cli import main\n"
        "try: main(['x'], prog_name='rapideval')\n"
        "finally: print([m for m in sys.modules if m.startswith('rapideval.cli.') and m[14:] in "
        f"{list(group.VERBS)}], file=sys.stderr)"
    )
    environment = os.environ | {"_RAPIDEVAL_COMPLETE": "bash_complete", "COMP_WORDS": "rapideval v", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "plain,version" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete ")])
def test_completion_scripts_are_printed(shell, sign):
    result = run("completion", shell)
    assert result.exit_code == 0
    assert sign in result.output
    assert "_RAPIDEVAL_COMPLETE" in result.output


def test_a_closed_pipe_is_no_error():
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from rapideval.cli import main; main(['version'])"],
        stdout=closed_pipe(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 141
    assert done.stderr == ""


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return write


def test_the_module_runs_as_the_command():
    done = subprocess.run([sys.executable, "-m", "rapideval", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("rapideval ")
