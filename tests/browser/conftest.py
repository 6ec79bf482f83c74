"""A browser, a JupyterLab and a notebook in it."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.labs import ROOT, Lab, jupyterlab

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    """One for all tests, whose pages share what it has loaded and compiled of JupyterLab."""
    import run_tests  # takes seconds, and the process that hands the tests out needs it not

    program = run_tests.browser()
    if program is None:
        pytest.skip(f"No browser here: install one of {', '.join(run_tests.BROWSERS)}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser.new_context(viewport={"width": 1280, "height": 1000})
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Folder, address and token of a JupyterLab on copies: the tests save nothing in the course."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("notebooks", "pictures"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    (folder / "notebooks").mkdir(exist_ok=True)
    with jupyterlab(folder, tmp_path_factory.mktemp("jupyter") / "lab") as (url, token):
        yield folder, url, token


@pytest.fixture
def lab(browser, served, tmp_path):
    _, url, token = served
    screenshots = Path(os.environ.get("COURSE_SCREENSHOTS") or tmp_path)
    screenshots.mkdir(parents=True, exist_ok=True)
    page = browser.new_page()
    yield Lab(page, url, token, screenshots)
    page.close()
