"""``rapideval completion``: the script that lets a shell complete commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from rapideval.cli.help import Verb

__all__ = ["command"]


@click.command(
    "completion",
    cls=Verb,
    examples=(
        ("bash: in ~/.bashrc", 'eval "$(rapideval completion bash)"'),
        ("zsh: in ~/.zshrc, after compinit", 'eval "$(rapideval completion zsh)"'),
        ("fish: once", "rapideval completion fish > ~/.config/fish/completions/rapideval.fish"),
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a script that lets your shell complete commands.

    Options, formats and file names are completed too. Commands come from a table, without loading what they need.
    """
    from rapideval.cli.group import rapideval

    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(rapideval, {}, "rapideval", "_RAPIDEVAL_COMPLETE").source(), nl=False)
