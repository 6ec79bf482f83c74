"""Graph mode or eager mode is chosen once per process, so the two kinds of tests run apart."""

import signal
import sys
from pathlib import Path

import pytest

import utils  # noqa: F401 - before TensorFlow, which takes Keras 2 by its word

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Started in the background, a process ignores Ctrl-C and hands that on to the programs it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    folders = {Path(item.path).relative_to(ROOT).parts[:2] for item in items}
    if {("tests", "graph"), ("tests", "eager")} <= folders:
        raise pytest.UsageError(
            "tests/graph and tests/eager need different modes of TensorFlow: "
            "run them one after the other, as `make test` does."
        )


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, for the tests of JupyterLab and of the site."""
    import run_tests  # takes seconds, and the process that hands the tests out needs it not
    from playwright.sync_api import sync_playwright

    program = run_tests.browser()
    if program is None:
        pytest.skip(f"No browser here: install one of {', '.join(run_tests.BROWSERS)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
