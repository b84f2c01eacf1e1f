"""What every test can use: the real data beside the project, and hypothesis profiles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# The machine decides how long an example takes, so time is never what a property test asserts. CI draws the
# same examples in every run; a developer draws new ones (HYPOTHESIS_PROFILE=search draws many).
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=_SLOW)
settings.register_profile("ci", deadline=None, max_examples=100, suppress_health_check=_SLOW, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=5000, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Folder of the project: pyproject.toml, docs, schemas, fixtures."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of annotation files that other people made; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the annotation data of other projects is not beside this one (../shared/data)")
    return SHARED_DATA
