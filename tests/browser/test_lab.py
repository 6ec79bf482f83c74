"""The course as a learner meets it: JupyterLab, Run All, and a panel that answers.

COURSE_SCREENSHOTS=<folder> keeps the screenshots, for people to look at.
"""

import os
import re

import nbformat
import pytest

from tests.browser.labs import ROOT, outputs

PANELS = (
    "01_clever_hans",
    "02_feature_visualization",
    "03_layerwise_relevance",
    "04_innvestigate",
    "05_tf_explain",
    "06_convection",
    "07_goes_to_mrms",
    "08_climate_indicators",
    "09_receptive_fields",
    "10_large_archive",
    "11_real_storm",
)
LESSONS = sorted(path.stem for path in ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))
# From the last, the longest, to the first, the shortest: so two processes end together.
SHOWN = [name for name in LESSONS[::-1] if name.startswith("00") or name in PANELS]

PANEL = """\
import io
import ipywidgets
from PIL import Image

picture = ipywidgets.Image(format="png")
slider = ipywidgets.IntSlider(100, 0, 255)

def draw(change=None):
    png = io.BytesIO()
    Image.new("RGB", (200, 100), (slider.value, 0, 0)).save(png, "PNG")
    picture.value = png.getvalue()

slider.observe(draw, "value")
draw()
ipywidgets.VBox([slider, picture])"""
FIGURE = """\
import matplotlib.pyplot as plt
from utils.plots import show

fig, ax = plt.subplots()
ax.plot([1, 2, 3])
show(fig, "A line that rises from one to three.")"""

# All that the course writes in colours of its own: verdicts, claims, captions; and a table.
CARDS = """\
from IPython.display import display
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from utils import check, claims, plots

for verdict in (check.unanswered(), check.right("`x` is it."), check.noted("2 of 3."),
                check.wrong("Not `x`.")):
    display(verdict)
for value in (1, 2, 3):
    claims.record(f"claim-{value}", "It is so.", "this course", "x", value,
                  (1.5, 2.5) if value == 2 else None, "> 2")
fig, ax = plt.subplots()
ax.plot([1, 2])
plots.show(fig, "A line that rises.")
pd.DataFrame({"a": [1, 2]})"""
# By text, how it stands out from what is behind it, as WCAG counts it.
CONTRAST = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (; element; element = element.parentElement) {
            const [r, g, b, alpha = 1] = numbers(getComputedStyle(element).backgroundColor);
            if (alpha === 1) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const box of document.querySelectorAll('.jp-OutputArea-output')) {
        const walk = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const element = walk.currentNode.parentElement;
            const text = walk.currentNode.textContent.trim();
            if (!text || !element.getClientRects().length) continue;
            const [r, g, b, alpha = 1] = numbers(getComputedStyle(element).color);
            let clear = alpha;
            for (let one = element; one; one = one.parentElement)
                clear *= getComputedStyle(one).opacity;
            const back = behind(element);
            const front = [r, g, b].map((c, i) => clear * c + (1 - clear) * back[i]);
            const [low, high] = [front, back].map(light).sort((a, b) => a - b);
            found.push([text.slice(0, 40), (high + 0.05) / (low + 0.05)]);
        }
    }
    return found;
}"""


def kinds(cells):
    """Return the kinds of data in the outputs of some cells."""
    return {kind for output in outputs(cells) for kind in output.get("data", {})}


def errors(cells):
    """Return the errors in the outputs of some cells."""
    return [output["evalue"] for output in outputs(cells) if output["output_type"] == "error"]


def quoted(cells):
    """Return {source: words} of the cells whose output the text quotes, as nbval would compare it.

    Numbers that tell layers of one name apart are left out: they count all networks before.
    """
    found = {}
    for cell in cells:
        if "nbval-check-output" in cell["metadata"].get("tags", []):
            texts = [o.get("text") or o["data"]["text/plain"] for o in cell["outputs"]]
            words = " ".join("".join(text) for text in texts).split()
            found["".join(cell["source"])] = [re.sub(r"(?<=[a-z0-9])_\d+$", "", w) for w in words]
    return found


def write(served, *sources):
    """Put a small notebook into the folder that JupyterLab serves."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    folder, _, _ = served
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "small.ipynb")
    return "small.ipynb"


def test_a_small_notebook_runs_and_its_panel_answers(lab, served):
    far_down = ["print('line\\n' * 60)"] * 20
    lab.open(write(served, FIGURE, *far_down, PANEL, "1 + 1"))
    cells = lab.run_all()
    assert errors(cells) == []
    assert "image/png" in kinds(cells)
    assert outputs(cells)[-1]["data"]["text/plain"] == "2"
    lab.move_slider()
    lab.screenshot("panel")
    lab.screenshot("whole", whole=True)


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_what_the_course_writes_can_be_read(lab, served, theme):
    choose = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})"
    lab.open(write(served, CARDS))
    lab.run_all()
    try:
        lab.page.evaluate(choose, f"JupyterLab {theme}")
        lab.page.wait_for_selector(
            f"body[data-jp-theme-name='JupyterLab {theme}']", state="attached"
        )
        lab.page.wait_for_timeout(500)  # for its style sheet
        lab.screenshot(f"cards_{theme}")
        found = lab.page.evaluate(CONTRAST)
    finally:
        lab.page.evaluate(choose, "JupyterLab Light")
    assert len(found) > 20
    assert not [(text, ratio) for text, ratio in found if ratio < 4.5]


def test_an_error_and_a_dead_panel_are_noticed(lab, served, tmp_path):
    lab.screenshots = tmp_path
    lab.open(write(served, PANEL.replace('slider.observe(draw, "value")', ""), "1 / 0", "1 + 1"))
    assert errors(lab.run_all()) == ["division by zero"]
    with pytest.raises(pytest.fail.Exception, match="the picture stayed the same"):
        lab.move_slider(seconds=2)  # a panel that lives has answered long before


def test_the_projects_settings_are_in_force(lab, served):
    lab.open(write(served, "1 + 1"))
    settings = lab.page.request.get(
        f"{lab.url}lab/api/settings/@jupyterlab/apputils-extension:notification?token={lab.token}"
    ).json()
    assert settings["schema"]["properties"]["checkForUpdates"]["default"] is False
    assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
    refused = lab.page.context.browser.new_context().request.get(f"{lab.url}api/contents")
    assert refused.status == 403


@pytest.mark.parametrize("lesson", SHOWN)
def test_a_lesson_runs(lab, lesson):
    lab.open(f"notebooks/{lesson}.ipynb")
    cells = lab.run_all()
    assert errors(cells) == []
    assert "image/png" in kinds(cells)
    solved = nbformat.read(ROOT / "solutions" / f"{lesson}.ipynb", as_version=4)
    assert quoted(cells) == quoted(solved.cells)
    if lesson in PANELS:
        beside = lab.page.locator(".jp-OutputArea-child:has(.jupyter-widgets) .jp-RenderedImage")
        assert beside.count() == 0  # the panel's picture stands once
        lab.move_slider()
        lab.move_slider()  # a network asked from another thread could answer just once
        if lesson == "07_goes_to_mrms":
            lab.click_picture(60, 120)  # in the scene on the left
        lab.screenshot("panel")
    if os.environ.get("COURSE_SCREENSHOTS"):  # drawing a page so high takes seconds
        lab.screenshot("whole", whole=True)
