"""A JupyterLab, and a notebook in it."""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.labs import ROOT, Lab, jupyterlab


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


@pytest.fixture(scope="session")
def page(browser, served):
    """JupyterLab, loaded once: a learner, too, opens one lesson after another in it."""
    _, url, token = served
    page = browser.new_page()
    page.goto(f"{url}lab?token={token}&reset")
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    return page


@pytest.fixture
def lab(page, served, tmp_path):
    _, url, token = served
    screenshots = Path(os.environ.get("COURSE_SCREENSHOTS") or tmp_path)
    screenshots.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 1000})
    lab = Lab(page, url, token, screenshots)
    yield lab
    lab.close()
