"""Lay the course out as pages and build the site with Sphinx; nothing is executed.

`make site` runs it in an environment of its own, .site-venv. REPOSITORY (owner/name) in the
environment, or else `repository` in pyproject.toml, adds the buttons that open a lesson elsewhere.

    python tools/make_site.py [FOLDER]     into FOLDER/html, site/_build/html by default
"""

import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import slides
from minutes import STATED

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
CLAIM = "application/vnd.peering-inside.claim+json"
FOLDED = {"solution", "claims", "figure"}
RESULTS = "hans-real-world", "hans-tag-cut"  # shown on the first page, with a figure of lesson 01
FIGURE = "strategy-3"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMED = PROJECT["tool"]["course"]["repository"]
REPOSITORY = os.environ.get("REPOSITORY") or NAMED
GITHUB = f"https://github.com/{REPOSITORY}/blob/main/"


def pages():
    """Return the Markdown pages, relative to the course."""
    return [path.name for path in sorted(ROOT.glob("*.md"))] + ["data/README.md"]


def lessons():
    """Return the solved notebooks in their order."""
    return sorted((ROOT / "solutions").glob("[0-9]*.ipynb"))


def linked(text, folder):
    """Rewrite the links of a page in `folder`: a lesson is its solved page, code is on GitHub."""

    def rewrite(match):
        mark, label, target = match.groups()
        path, _, anchor = target.partition("#")
        if not path or re.match(r"[a-z]+:", target):
            return match.group(0)
        inside = os.path.normpath(os.path.join(folder, path)).replace(os.sep, "/")
        inside = inside.replace("solutions/", "notebooks/")
        page = inside in pages() or inside.startswith("pictures/")
        if page or re.match(r"notebooks/[0-9].*\.ipynb", inside):
            up = "../" * len(Path(folder).parts)
            return f"{mark}[{label}]({up}{inside}{'#' + anchor if anchor else ''})"
        return f"{mark}[{label}]({GITHUB}{inside})" if REPOSITORY else label

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", rewrite, text)


def cells(line):
    """Return the cells of a Markdown table's row."""
    return [part.strip() for part in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def kind(verdict):
    """Return the class of a verdict's card."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", verdict)
    if words.startswith("not tested"):
        return "open"
    if re.search(r"does not hold|not confirmed", words):
        return "no"
    return "yes" if re.search(r"\bholds\b|\bconfirmed\b", words) else "open"


def claim_card(row, anchored=True):
    """Return one measured claim as a card, the verdict first; `anchored` is what links lead to."""
    what, by, measured, result, goal, verdict = cells(row)
    anchor, sentence = re.fullmatch(r'<a id="([^"]*)"></a>(.*)', what).groups()
    target = f"({anchor})=\n" if anchored else ""
    return (
        (
            f"{target}:::{{div}} claim {kind(verdict)}\n**{verdict[0].upper() + verdict[1:]}**: "
            f"{sentence}\n\n{result}, goal {goal}: {measured}. *By {by}.*\n:::\n"
        )
        .replace("goal <= ", "goal ≤ ")
        .replace("goal >= ", "goal ≥ ")
    )


def verdict_first(text):
    """Put what came of a slide's sentence before what was measured."""
    if text.startswith("not tested"):
        return text.replace("not tested", "**Not tested**", 1)
    found = re.fullmatch(r"(.*): \[(.*?)\](\(#.*?\)), (lesson \d+)", text)
    if not found:
        return text
    measured, verdict, link, lesson = found.groups()
    return f"**[{verdict[0].upper() + verdict[1:]}]{link}**, {lesson}: {measured}"


def claims_page(text):
    """Turn the tables of CLAIMS.md into cards, which a phone can show."""
    out = []
    for line in text.splitlines():
        row = cells(line) if line.startswith("|") else []
        if not row:
            out.append(line)
        elif re.fullmatch(r"-+", row[0]) or row[0] in ("slide", "what is claimed"):
            continue
        elif len(row) == 3:
            if row[0]:
                out.append(f"\n**{row[0]}**\n")
            came = "\n\n".join(map(verdict_first, row[2].split("<br>")))
            out.append(f"\n:::{{div}} claim {kind(row[2])}\n{row[1]}\n\n{came}\n:::\n")
        elif len(row) == 6:
            out.append(claim_card(line))
        else:
            raise SystemExit(f"CLAIMS.md has a table that the site cannot read: {line[:80]}")
    return "\n".join(out) + "\n"


def ways(name):
    """Return the row of buttons of a lesson."""
    links = []
    if REPOSITORY:
        binder = f"https://mybinder.org/v2/gh/{REPOSITORY}/HEAD?urlpath=lab/tree/notebooks"
        links.append((f"{binder}/{name}.ipynb", "Run on Binder", ""))
    if NAMED:  # or its first cell would not know what to fetch
        colab = f"https://colab.research.google.com/github/{NAMED}/blob/main/notebooks"
        links.append((f"{colab}/{name}.ipynb", "Open in Colab", ""))
    links.append((f"../learners/{name}.ipynb", "Download the notebook", " download"))
    inner = "".join(f'<a href="{to}"{more}>{label}</a>' for to, label, more in links)
    return f'<div class="ways">{inner}</div>'


def control(one):
    """Return a control of a panel as HTML: a menu, or a slider. Its value is a place in a list."""
    data = f'data-label="{one["label"]}" data-values="{"|".join(one["values"])}" autocomplete="off"'
    if one["menu"]:
        options = "".join(
            f'<option value="{i}"{" selected" * (i == one["start"])}>{html.escape(value)}</option>'
            for i, value in enumerate(one["values"])
        )
        inner = f"<span>{one['label']}</span><select {data}>{options}</select>"
        return f'<label class="menu">{inner}</label>'
    last = len(one["values"]) - 1
    return (
        f'<label><span>{one["label"]}</span><input type="range" min="0" max="{last}" '
        f'value="{one["start"]}" {data}><output></output></label>'
    )


def panel(number, alt):
    """Return a panel's controls and its first picture as HTML, or None where none were drawn."""
    folder = SITE / "panels" / number
    if not (folder / "panel.json").exists():
        return None
    described = json.loads((folder / "panel.json").read_text(encoding="utf-8"))
    place, alt = f"../_static/panels/{number}", html.escape(alt)
    controls = "".join(map(control, described["controls"]))
    first = "_".join(str(one["start"]) for one in described["controls"])
    return (
        f'<div class="panel" data-panel="{place}"><div class="controls">{controls}</div>'
        f'<img src="{place}/{first}.webp" loading="lazy" alt="{alt}" data-alt="{alt}" '
        f'width="{described["width"]}" height="{described["height"]}">'
        "<p>These pictures were drawn beforehand, for some settings of the panel. "
        "In the notebook you can try them all.</p></div>"
    )


def lesson_page(path):
    """Return a solved notebook as the site shows it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    done = []
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = linked(cell["source"], "solutions")
            if not done:
                title, rest = cell["source"].split("\n", 1)
                cell["source"] = f"{title}\n\n{ways(path.stem)}\n{rest}"
            done.append(cell)
            continue
        tags = cell["metadata"].setdefault("tags", [])
        if FOLDED & set(tags):
            tags.append("hide-input")
        outputs, cell["outputs"] = cell["outputs"], []
        pictures, drawn = 0, None
        done.append(cell)
        for output in outputs:
            data = output.get("data", {})
            data.pop(CLAIM, None)
            if "text/html" in data:
                # A table of pandas can be scrolled by the keyboard, and heads nothing with nothing.
                table = "".join(data["text/html"]).replace("<th></th>", "<td></td>")
                data["text/html"] = table.replace("<table ", '<table tabindex="0" ')
            if "data" in output and not data:
                continue
            if "".join(output.get("text", "")).startswith("An interactive panel"):
                if drawn:
                    continue  # here its controls work
                text = "<p>The controls of this panel work when you run the lesson.</p>"
                output = {"output_type": "display_data", "metadata": {}}
                output["data"] = {"text/html": text + ways(path.stem)}
            if "image/png" in data:
                alt = output["metadata"]["image/png"]["alt"]
                if output["metadata"].get("figure") == "panel":
                    drawn = panel(path.name[:2], alt)
                if drawn:
                    output = {"output_type": "display_data", "metadata": {}}
                    output["data"] = {"text/html": drawn}
                else:
                    pictures += 1
                    if pictures > 1:  # myst-nb has one alternative text for a cell
                        cell = {"cell_type": "code", "source": "", "outputs": []}
                        cell |= {"metadata": {"tags": ["remove-input"]}, "execution_count": None}
                        cell["id"] = f"picture-{len(done)}"
                        done.append(cell)
                    cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
            cell["outputs"].append(output)
    notebook["cells"] = done
    return notebook


def header(path):
    """Return title, question, minutes of teaching and of exercises, and picture of a lesson."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    text = "".join(notebook["cells"][0]["source"])
    title = re.search(r"^# (\d\d .*)$", text, re.M).group(1)
    question = re.search(r"\*\*Question:\*\* (.*?)\n\s*\n", text, re.S).group(1)
    question = " ".join(question.split())
    picture = re.search(r"!\[[^\]]*\]\(\.\./(pictures/[^)]*)\)", text).group(1)
    alt = " ".join(re.search(r"!\[([^\]]*)\]", text).group(1).split())
    return (
        title,
        question[0].upper() + question[1:],
        *map(int, STATED.search(text).groups()),
        picture,
        alt,
    )


def home(claims, result):
    """Return the first page: what it is, how long, what is needed, one result, how to run it."""
    headers = [header(path) for path in lessons()]
    total = round(sum(one[2] + one[3] for one in headers) / 60)
    cards = "".join(
        f":::{{grid-item-card}} {title}\n:img-top: {picture}\n:img-alt: {alt}\n"
        f":link: notebooks/{path.stem}\n:link-type: doc\n\n{question}\n\n"
        f"*{teaching} min, and {exercises} min of exercises*\n:::\n"
        for path, (title, question, teaching, exercises, picture, alt) in zip(
            lessons(), headers, strict=True
        )
    )
    rows = [line for line in claims.splitlines() if line.startswith('| <a id="')]
    chosen = [next(row for row in rows if f'id="{key}"' in row) for key in RESULTS]
    results = "\n".join(claim_card(row, anchored=False) for row in chosen)
    decks = ", ".join(
        f'<a href="slides/{slides.file(route)}">{route}</a>' for route in slides.ROUTES
    )
    own = "git clone <address of the course>\ncd <its folder>"
    if REPOSITORY:
        own = f"git clone https://github.com/{REPOSITORY}\ncd {REPOSITORY.split('/')[1]}"
    listed = "\n".join(f"notebooks/{path.stem}" for path in lessons())
    others = "\n".join(page.removesuffix(".md") for page in pages())
    others = others.replace("README", "About the course <README>", 1)  # its title is the site's
    alt = " ".join(result[1].split())
    return f"""---
html_theme.sidebar_secondary.remove: true
---
# Peering inside

:::{{div}} lead
A hands-on course on explainable AI for Earth science. A neural network finds storms, rain or the
year of a climate map. *Where does it look, and is that where it should look?*
:::

**What it is.** {len(headers)} Jupyter lessons with small worlds whose truth is known, so that
heat maps can be checked. You predict, run, and see whether you were right.

**How long.** A lesson takes from {min(t + e for _, _, t, e, *_ in headers)} to
{max(t + e for _, _, t, e, *_ in headers)} minutes with its exercises,
all together some {total} hours. [For instructors](INSTRUCTORS.md) has shorter
routes. Their slides: {decks}.

**What students need.** Python and NumPy, and the idea of a neural network. A laptop of 64 bits with
2 GB of free memory is enough, without a GPU. After the set-up no network is needed.

**How to run it.** Read the solved lessons here, or run them:

```sh
{own}
make lab
```

## One result

A network that names horses is nearly always right in the world in which it was trained.
[Lesson 01](notebooks/01_clever_hans.ipynb) asks why.

![{alt}](pictures/result.png)

Four pictures that it calls a horse, and its heat maps. What is red spoke for a horse.

{results}
[All claims](CLAIMS.md), with those that did not hold.

## The lessons

::::{{grid}} 1 2 3 3
:gutter: 3
{cards}::::

```{{toctree}}
:hidden:
:caption: Lessons
{listed}
```
```{{toctree}}
:hidden:
:caption: The course
{others}
```
"""


def main(build=SITE / "_build"):
    """Build the site in `build`/html; return Sphinx's exit code."""
    source, target = build / "source", build / "html"
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
    (source / "notebooks").mkdir(parents=True)
    no_page = shutil.ignore_patterns("*.md")
    shutil.copytree(ROOT / "pictures", source / "pictures", ignore=no_page)
    shutil.copytree(SITE / "_static", source / "_static")
    shutil.copytree(SITE / "panels", source / "_static" / "panels", dirs_exist_ok=True)
    shutil.copy(SITE / "conf.py", source)
    font = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
    shutil.copy(font, source / "_static")  # without a font for formulas, browsers misplace indices
    extra = source / "_extra"
    (extra / "learners").mkdir(parents=True)
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        shutil.copy(path, extra / "learners")
    claims = (ROOT / "CLAIMS.md").read_text(encoding="utf-8")
    for page in pages():
        text = (ROOT / page).read_text(encoding="utf-8")
        text = claims_page(text) if page == "CLAIMS.md" else text
        (source / page).parent.mkdir(exist_ok=True)
        (source / page).write_text(linked(text, str(Path(page).parent)), encoding="utf-8")
    for path in lessons():
        text = json.dumps(lesson_page(path))
        (source / "notebooks" / path.name).write_text(text, encoding="utf-8")
    result = slides.figures(json.loads(lessons()[1].read_text(encoding="utf-8")))[FIGURE]
    (source / "pictures" / "result.png").write_bytes(base64.b64decode(result[0]))
    (source / "index.md").write_text(home(claims, result), encoding="utf-8")
    slides.write(extra / "slides")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-d", str(build / "doctrees"), "-E", str(source), str(target)]
    variables = {**os.environ, "REPOSITORY": REPOSITORY}  # conf.py reads it for the theme's buttons
    code = subprocess.call(command, env=variables)
    if not code:
        print(f"The site is in {target}; open index.html in a browser.")
    return code


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
