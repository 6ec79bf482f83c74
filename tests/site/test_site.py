"""The site: whole, usable without a network, on a phone and by those who cannot see it."""

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import make_site
import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOT_PAGES = ["index.html", "notebooks/03_layerwise_relevance.html", "CLAIMS.html"]


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.pictures = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append((found.get("alt"), found.get("src") or ""))
            self.links.append(found.get("src") or "")


@pytest.fixture(scope="module")
def pages(built):
    found = {path.resolve(): Page(path.read_text()) for path in built[0].rglob("*.html")}
    assert len(found) > 20
    return {path: page for path, page in found.items() if "_static" not in path.parts}


def test_the_build_warns_of_nothing(built):
    assert "WARNING" not in built[1] and "ERROR" not in built[1]


def test_buttons_lead_where_the_course_is(monkeypatch):
    monkeypatch.setattr(make_site, "REPOSITORY", "")
    monkeypatch.setattr(make_site, "NAMED", "")
    assert re.findall(r">([\w ]+)</a>", make_site.ways("00_x")) == ["Download the notebook"]
    monkeypatch.setattr(make_site, "REPOSITORY", "owner/name")
    assert "mybinder.org/v2/gh/owner/name/HEAD" in make_site.ways("00_x")
    # Its first cell could not fetch the course.
    assert "colab" not in make_site.ways("00_x")
    monkeypatch.setattr(make_site, "NAMED", "owner/name")
    assert "github/owner/name/blob/main/notebooks/00_x.ipynb" in make_site.ways("00_x")


def test_no_link_is_broken(pages):
    broken, seen = [], 0
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            file, anchor = urldefrag(link)
            target = (path.parent / unquote(file)).resolve() if file else path
            seen += 1
            there = target.exists()
            if there and anchor and target in pages:
                there = unquote(anchor) in pages[target].ids
            if not there:
                broken.append(f"{path.name}: {link}")
    assert seen > 1000
    assert not broken


def test_every_picture_has_a_text_and_no_path(pages):
    pictures = [(path.name, *one) for path, page in pages.items() for one in page.pictures]
    assert len(pictures) > 150
    without = [
        (name, alt)
        for name, alt, _ in pictures
        if not (alt or "").strip() or re.search(r"\.(png|webp|svg|jpe?g)\b", alt)
    ]
    assert not without


@pytest.mark.parametrize("name", [*ROOT_PAGES, "slides/half_a_day.html"])
def test_no_other_server_is_asked(page, address, name):
    page.goto(address + name)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    assert not page.foreign and not page.missing


@pytest.mark.parametrize("name", ROOT_PAGES)
def test_a_phone_need_not_scroll_sideways(page, address, name):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("words", ["ledger", "frequency bias"])
def test_search_finds(page, address, words):
    page.goto(f"{address}search.html?q={words.replace(' ', '+')}")
    page.wait_for_selector("#search-results li a")
    found = page.locator("#search-results li a").all_inner_texts()
    wanted = {"ledger": "03 Layer-wise", "frequency bias": "07 From GOES"}[words]
    assert any(wanted in title for title in found)


def light(page):
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def test_dark_mode_is_dark(page, address):
    page.goto(address)
    assert light(page) > 200
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert light(page) < 60


PANELS = sorted(path.parent for path in ROOT.glob("site/panels/*/panel.json"))


@pytest.mark.parametrize("folder", PANELS, ids=lambda folder: folder.name)
def test_a_panel_has_a_picture_for_each_setting(folder):
    controls = json.loads((folder / "panel.json").read_text())["controls"]
    places = itertools.product(*(range(len(one["values"])) for one in controls))
    wanted = {"_".join(map(str, place)) + ".webp" for place in places}
    assert {path.name for path in folder.glob("*.webp")} == wanted
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2.5e6


@pytest.mark.parametrize("number", [folder.name for folder in PANELS])
def test_a_panel_follows_the_keyboard(page, address, built, number):
    name = next(path.name for path in built[0].glob(f"notebooks/{number}_*.html"))
    page.goto(f"{address}notebooks/{name}")
    panel = page.locator(".panel")
    panel.scroll_into_view_if_needed()
    seen = {panel.locator("img").get_attribute("src")}
    for control in panel.locator("input, select").all():
        said, at_start = control.get_attribute("aria-valuetext"), control.input_value() == "0"
        control.focus()
        page.keyboard.press("ArrowRight" if at_start else "ArrowLeft")
        source = panel.locator("img").get_attribute("src")
        assert source not in seen
        seen.add(source)
        assert control.get_attribute("aria-valuetext") != said or said is None
        page.wait_for_function("document.querySelector('.panel img').naturalWidth > 0")
    assert not page.missing


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", [*ROOT_PAGES, "notebooks/08_climate_indicators.html"])
def test_axe_finds_nothing_serious(page, address, built, name, mode):
    axe = next((ROOT / ".site-venv").rglob("axe.min.js"))
    page.goto(address + name)
    page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
    page.add_script_tag(path=axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [
        (one["id"], [node["html"][:150] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious


def test_slides_turn(page, address):
    page.goto(address + "slides/one_day.html")
    page.keyboard.press("ArrowRight")
    assert page.locator("section.on h1").inner_text().endswith("?")
    assert not page.locator("section.on aside").is_visible()
    page.keyboard.press("n")
    assert page.locator("section.on aside").is_visible()
