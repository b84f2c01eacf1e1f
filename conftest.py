"""The package under test must be this checkout's, or doctests and coverage would speak of another."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test another copy."""
    import rapideval

    package = Path(rapideval.__file__).resolve().parent
    if package != config.rootpath.resolve() / "rapideval":
        raise pytest.UsageError(
            f"rapideval is imported from {package}, not from this checkout; "
            "install it editable: pip install -e '.[test]'"
        )
