"""Graph mode or eager mode is chosen once per process, so the two kinds of tests run apart."""

import sys
from pathlib import Path

import pytest

import utils  # noqa: F401 - before TensorFlow, which takes Keras 2 by its word

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    folders = {Path(item.path).relative_to(ROOT).parts[:2] for item in items}
    if {("tests", "graph"), ("tests", "eager")} <= folders:
        raise pytest.UsageError(
            "tests/graph and tests/eager need different modes of TensorFlow: "
            "run them one after the other, as `make test` does."
        )
