"""Make a slide deck for each route of INSTRUCTORS.md, one HTML file that needs no network.

Questions and figures come from the solved lessons, and site/slides.toml says which figures. The
speaker notes are those of INSTRUCTORS.md, and what each figure shows.
"""

import base64
import html
import json
import re
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUTES = tomllib.loads((ROOT / "site" / "slides.toml").read_text(encoding="utf-8"))

STYLE = """
body { margin: 0; background: #fff; color: #14181e; font: 1.5rem/1.4 system-ui, sans-serif; }
section { display: none; box-sizing: border-box; height: 100vh; padding: 3vh 5vw 5vh;
  flex-direction: column; justify-content: center; }
section.on { display: flex; }
h1 { font-size: 2.6rem; line-height: 1.2; } h2 { font-size: 1rem; margin: 0; color: #4a5560; }
img { flex: 1; min-height: 0; width: 100%; object-fit: contain; margin: 2vh 0; }
.title img { flex: none; height: 45vh; object-position: left; }
p { margin: .3em 0; } .caption { font-size: 1.1rem; color: #38414b; }
aside { display: none; font-size: 1.1rem; border-top: 2px solid #ccc; margin-top: 2vh;
  max-height: 45vh; overflow-y: auto; }
.notes aside { display: block; }
footer { position: fixed; right: 1em; bottom: .3em; font-size: .8rem; color: #4a5560; }
@media print { section { display: flex; page-break-after: always; } footer { display: none; } }
"""

SCRIPT = """
const slides = [...document.querySelectorAll('section')], count = document.querySelector('footer');
let now = 0;
const show = i => {
  now = Math.max(0, Math.min(slides.length - 1, i));
  slides.forEach((slide, k) => slide.classList.toggle('on', k === now));
  count.textContent = `${now + 1} / ${slides.length}, N: notes`;
  history.replaceState(null, '', `#${now + 1}`);
};
const steps = {ArrowRight: 1, PageDown: 1, ' ': 1, ArrowLeft: -1, PageUp: -1};
addEventListener('keydown', event => {
  if (event.key in steps) { event.preventDefault(); show(now + steps[event.key]); }
  else if (event.key === 'Home') show(0);
  else if (event.key === 'End') show(slides.length - 1);
  else if (event.key.toLowerCase() === 'n') document.body.classList.toggle('notes');
});
addEventListener('click', event => show(now + (event.clientX < innerWidth / 4 ? -1 : 1)));
addEventListener('hashchange', () => show(parseInt(location.hash.slice(1)) - 1 || 0));
show(parseInt(location.hash.slice(1)) - 1 || 0);
"""


def file(route):
    """Return the name of a route's deck."""
    return route.replace(" ", "_") + ".html"


def plain(markdown):
    """Return Markdown's inline marks as HTML."""
    text = html.escape(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(markdown.split())))
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)


def notes(instructors, number):
    """Return the speaker notes of a lesson as HTML, the first of them what to take home."""
    found = re.search(rf"^### {number} .*?\n(.*?)(?=^##|\Z)", instructors, re.M | re.S)
    if not found:
        raise SystemExit(f"INSTRUCTORS.md has no section on lesson {number}.")
    return [plain(part) for part in re.split(r"^- ", found.group(1), flags=re.M)[1:]]


def figures(notebook):
    """Return {key: (picture, alt text, caption)} of a solved lesson, in its order."""
    found = {}
    for cell in notebook["cells"]:
        for output, after in pairwise([*cell.get("outputs", []), {}]):
            picture = output.get("data", {}).get("image/png")
            if picture and "figure" in output["metadata"]:
                alt = output["metadata"]["image/png"]["alt"]
                caption = "".join(after.get("data", {}).get("text/plain", ""))
                key = output["metadata"]["figure"]
                found[key] = "".join(picture).replace("\n", ""), alt, caption
    return found


def lesson_slides(notebook, said, keys):
    """Return a lesson's slides: its question, the figures of these keys, and what to take home."""
    text = "".join(notebook["cells"][0]["source"])
    title = plain(re.search(r"^# (.*)$", text, re.M).group(1))
    question = re.search(r"\*\*Question:\*\* (.*?)\n\s*\n", text, re.S).group(1)
    aside = "<aside>" + "".join(f"<p>{one}</p>" for one in said) + "</aside>"
    question = question[0].upper() + question[1:]
    out = [f"<h2>{title}</h2><h1>{plain(question)}</h1>{aside}"]
    there = figures(notebook)
    for key in keys:
        if key not in there:
            raise SystemExit(f"site/slides.toml: {title} has no figure {key}.")
        picture, alt, caption = there[key]
        out.append(
            f'<h2>{title}</h2><img alt="{html.escape(alt)}" src="data:image/png;base64,{picture}">'
            f'<p class="caption">{plain(caption)}</p><aside><p>{html.escape(alt)}</p></aside>'
        )
    if said:
        home = re.sub(r"<b>.*?</b>\s*", "", said[0], count=1)
        out.append(f"<h2>{title}: take home</h2><h1>{home[0].upper() + home[1:]}</h1>{aside}")
    return out


def write(folder):
    """Write all decks into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    instructors = (ROOT / "INSTRUCTORS.md").read_text(encoding="utf-8")
    picture = base64.b64encode((ROOT / "pictures" / "first_heat_map.png").read_bytes()).decode()
    for route, lessons in ROUTES.items():
        title = (
            f"<h1>Peering inside</h1><p>Explainable AI for Earth science, {route}</p>"
            '<img alt="A horse and the heat map of a network that found it" '
            f'src="data:image/png;base64,{picture}">'
            '<p class="caption">Arrow keys turn the pages, N shows the speaker notes. '
            "Text and figures: CC BY 4.0.</p>"
        )
        found = []
        for number, keys in lessons.items():
            path = next((ROOT / "solutions").glob(f"{number}_*.ipynb"))
            notebook = json.loads(path.read_text(encoding="utf-8"))
            found += lesson_slides(notebook, notes(instructors, number), keys)
        body = "\n".join(f"<section>{slide}</section>" for slide in found)
        body = f'<section class="title">{title}</section>\n{body}'
        (folder / file(route)).write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Peering inside, {route}</title><style>{STYLE}</style></head>"
            f"<body><main>{body}</main><footer></footer><script>{SCRIPT}</script></body></html>\n",
            encoding="utf-8",
        )
