"""Draw what the site's panels show: one small picture for each place of their controls.

A lesson runs up to its panel, which is then drawn at every point of a thinned grid. The pictures
lie in site/panels/NN/ and are committed, for `make site` executes nothing. About a minute a lesson.
"""

import json
import shutil
import sys
from io import BytesIO
from itertools import product
from pathlib import Path

import build_lessons
import ipywidgets
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "site" / "panels"
QUALITY = 55  # of WebP
# Values of each control, which hold the one with which the panel opens; of a menu, all. Positions
# on a picture (lessons 00, 01, 05 and 07) would take thousands of pictures, and so would the
# sliders of lessons 06 and 10.
ALL = None
GRIDS = {
    "02": {"width": range(1, 9), "gap": [1, 2, 3, 4, 6, 8], "height": range(1, 7)},
    "03": {
        "number": [4, 1],
        "alpha": [1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3],
        "epsilon": [0.0001, 0.01, 1, 10],
    },
    "04": {"kind": ALL, "state": ALL, "number": [2, 5, 9, 14, 17]},
    "08": {"run": ALL, "year": range(1920, 2100, 10)},
    "09": {
        "blocks": [1, 2, 3, 4, 5],
        "kernel": [1, 3, 5, 7],
        "dilation": [1, 2, 4],
        "pool": [1, 2],
    },
}


class Drawn(Exception):
    """The panel is drawn: the rest of the lesson need not run."""


def draw_all(number, draw, controls):
    """Write the pictures of one panel and panel.json, which says what its sliders show."""
    from utils import plots

    folder = PLACE / number
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    grid = {name: values or controls[name].options for name, values in GRIDS[number].items()}
    described = [
        {
            "label": controls[name].description or name,
            "values": [v if isinstance(v, str) else f"{v:g}" for v in values],
            "start": place(values, controls[name].value),
            "menu": isinstance(controls[name], ipywidgets.Dropdown),
        }
        for name, values in grid.items()
    ]
    for places in product(*(range(len(values)) for values in grid.values())):
        values = {name: grid[name][i] for name, i in zip(grid, places, strict=True)}
        figure = draw(**values)
        width = plots.on_screen(figure)
        picture = Image.open(BytesIO(plots.png(figure))).convert("RGB")
        height = round(width * picture.height / picture.width)
        target = folder / ("_".join(map(str, places)) + ".webp")
        picture.resize((width, height), Image.Resampling.LANCZOS).save(
            target, "WEBP", quality=QUALITY, method=6
        )
    said = {"controls": described, "width": width, "height": height}
    (folder / "panel.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def place(values, value):
    """Return where a control's value stands among those that are drawn."""
    if isinstance(value, str):
        return values.index(value)
    return next(i for i, one in enumerate(values) if abs(one - value) < 1e-9)


def main(numbers):
    sys.path.insert(0, str(ROOT))
    for number in numbers or GRIDS:
        lesson = next((ROOT / "lessons").glob(f"{number}_*.py"))
        run(number, build_lessons.solved(lesson))
        size = sum(path.stat().st_size for path in (PLACE / number).iterdir())
        print(f"{lesson.stem}: {len(list((PLACE / number).glob('*.webp')))} pictures, {size} bytes")


def run(number, notebook):
    """Execute a lesson's cells up to its panel."""
    import matplotlib

    matplotlib.use("agg")
    from IPython.core.interactiveshell import InteractiveShell

    from utils import panels

    def panel(draw, text=None, /, click=(), **controls):
        draw_all(number, draw, controls)
        raise Drawn

    kept, panels.panel = panels.panel, panel
    shell = InteractiveShell.instance()
    shell.showtraceback = lambda *_, **__: None  # raised again below, or the end of the work
    try:
        for cell in build_lessons.code_cells(notebook):
            result = shell.run_cell(cell.source, silent=True)
            error = result.error_before_exec or result.error_in_exec
            if isinstance(error, Drawn):
                return
            if error:
                raise error
    finally:
        panels.panel = kept
    raise SystemExit(f"Lesson {number} has no panel.")


if __name__ == "__main__":
    main(sys.argv[1:])
