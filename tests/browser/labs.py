"""JupyterLab in a real, headless browser: the notebook in front, and the server behind it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPEN = """async path => {
    await window.jupyterapp.restored;
    await window.jupyterapp.commands.execute('docmanager:open', {path});
}"""
# Without the question whether to save what has run.
CLOSE = """async () => {
    const widget = window.jupyterapp.shell.currentWidget;
    await widget?.sessionContext?.shutdown();
    widget?.dispose();
}"""
# The notebook in front, as JupyterLab itself knows it.
CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
    .filter(cell => cell.cell_type === 'code').map(cell => cell.toJSON())"""
KERNEL = "() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status"
# Asked often, so it hands over no output: those of a lesson are megabytes.
ENDED = """() => {
    const {content, sessionContext} = window.jupyterapp.shell.currentWidget;
    const cells = content.model.sharedModel.cells
        .filter(cell => cell.cell_type === 'code' && cell.source.trim());
    const failed = cell => cell.outputs.some(output => output.output_type === 'error');
    return sessionContext.session?.kernel?.status === 'idle'
        && (cells.some(failed) || cells.every(cell => cell.execution_count));
}"""

WHOLE = """() => {
    const notebook = document.querySelector('.jp-WindowedPanel-outer');
    notebook.scrollTop = 0;
    return Math.ceil(notebook.scrollHeight);
}"""
SAME = "the picture stayed the same"


class Lab:
    """One notebook open in JupyterLab; `page` is the browser's page."""

    def __init__(self, page, url, token, screenshots):
        self.page, self.url, self.token, self.screenshots = page, url, token, screenshots

    def open(self, path):
        """Open a notebook and wait for its kernel."""
        self.name = Path(path).stem
        self.page.evaluate(OPEN, path)
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        self._wait(lambda: self.page.evaluate(KERNEL) == "idle", 60, "the kernel did not start")

    def close(self):
        """Close the notebook and end its kernel."""
        self.page.evaluate(CLOSE)

    def run_all(self, seconds=400):  # a guard against hanging, not a goal
        """Choose Run All Cells and wait until everything has run; return the code cells."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        # Each question takes time from the kernel, and most lessons need a minute.
        self._wait(lambda: self.page.evaluate(ENDED), seconds, "not all cells ran", every=1000)
        return self.page.evaluate(CELLS)

    def move_slider(self, number=0, seconds=10):
        """Move one of the page's sliders by one step; wait until the panel's picture changes."""
        picture = self.page.locator(".jupyter-widgets img").first
        picture.scroll_into_view_if_needed()
        before = picture.screenshot()
        slider = self.page.get_by_role("slider").nth(number)
        now, last = (slider.get_attribute(f"aria-value{part}") for part in ("now", "max"))
        slider.press("ArrowLeft" if now == last else "ArrowRight")
        self._wait(lambda: picture.screenshot() != before, seconds, SAME, every=300)

    def click_picture(self, x, y):
        """Click on the panel's picture, as far from its corner; wait until it changes."""
        picture = self.page.locator(".jupyter-widgets img").first
        picture.scroll_into_view_if_needed()
        before = picture.screenshot()
        picture.click(position={"x": x, "y": y})
        self._wait(lambda: picture.screenshot() != before, 10, SAME, every=300)

    def screenshot(self, name, whole=False):
        """Save a picture of the notebook, as seen or from top to bottom, for people to look at."""
        if whole:
            height = self.page.evaluate(WHOLE)
            self.page.set_viewport_size({"width": 1280, "height": min(height + 150, 16_000)})
            self.page.wait_for_timeout(1000)  # for the layout to settle
        self.page.screenshot(path=self.screenshots / f"{self.name}_{name}.png")

    def _wait(self, condition, seconds, otherwise, every=100):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.page.screenshot(path=self.screenshots / f"{self.name}_failed.png")
                pytest.fail(f"After {seconds} s {otherwise}; see {self.screenshots}.")
            self.page.wait_for_timeout(every)


def outputs(cells):
    """Return the outputs of some cells in one list."""
    return [output for cell in cells for output in cell["outputs"]]


@contextlib.contextmanager
def jupyterlab(folder, scratch):
    """Run JupyterLab on a folder with the project's settings and none of the user's own."""
    scratch.mkdir()
    private = {
        name: str(scratch / name.lower())
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
            "IPYTHONDIR",
        )
    }
    settings = {"JUPYTER_CONFIG_PATH": str(ROOT / "jupyter_config"), "PYTHONPATH": str(ROOT)}
    options = ["--no-browser", "--allow-root", "--expose-app-in-browser", "--ServerApp.port=0"]
    with open(scratch / "log.txt", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", *options],
            env={**os.environ, **private, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _address(server, Path(private["JUPYTER_RUNTIME_DIR"]), scratch / "log.txt")
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _address(server, folder, log):
    """Wait until the server says where it listens; return its address and token."""
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        for file in folder.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # half written
                info = json.loads(file.read_text())
                return info["url"], info["token"]
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
