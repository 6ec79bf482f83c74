"""The pages for users: routes that add up, terms that are used, exercises that are there."""

import re
from pathlib import Path

import exercises_page
import minutes
import pytest
import slides

from utils.plots import captions

ROOT = Path(__file__).resolve().parents[2]
LESSONS = {path.name[:2]: path for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))}
PAGES = ("INSTRUCTORS.md", "GLOSSARY.md", "EXERCISES.md")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_routes_add_up():
    parts = re.split(r"Total: (\d+) minutes", read("INSTRUCTORS.md"))
    assert len(parts) == 11
    for table, total in zip(parts[::2], parts[1::2], strict=False):
        rows = re.findall(r"^\| .+? \| (\d+) \| (\d+) \|$", table, re.MULTILINE)
        assert sum(int(a) + int(b) for a, b in rows) == int(total)


def test_routes_have_the_minutes_of_the_lessons():
    rows = re.findall(
        r"^\| (\d\d), (.+?) \| (\d+) \| (\d+) \|$", read("INSTRUCTORS.md"), re.MULTILINE
    )
    assert len(rows) > 15
    for number, what, teaching, exercises in rows:
        most = minutes.stated(LESSONS[number].stem)
        if what == "all":
            assert (int(teaching), int(exercises)) == most, number
        else:
            assert int(teaching) <= most[0] and int(exercises) <= most[1], number


@pytest.mark.parametrize("number", LESSONS)
def test_the_pages_give_the_minutes_of_the_lessons(number):
    """README.md in its table; INSTRUCTORS.md in the headings of those that no route takes."""
    stated = "{} + {}".format(*minutes.stated(LESSONS[number].stem))
    rows = re.findall(rf"^\|.*notebooks/{number}_.*\| (\d+ \+ \d+) \|$", read("README.md"), re.M)
    assert rows == [stated]
    heading = re.search(rf"^### {number} .*$", read("INSTRUCTORS.md"), re.M)[0]
    assert set(re.findall(r"\d+ \+ \d+", heading)) <= {stated}


def test_the_version_is_the_same_everywhere():
    versions = {
        "pyproject.toml": r'^version = "(.+)"$',
        "CITATION.cff": r"^version: (.+)$",
        "CHANGELOG.md": r"^## ([\d.]+)",  # the newest comes first
    }
    found = {name: re.search(line, read(name), re.M)[1] for name, line in versions.items()}
    assert len(set(found.values())) == 1, found


def test_slides_show_figures_that_are_there_on_the_routes_of_the_guide():
    for route, lessons in slides.ROUTES.items():
        part = read("INSTRUCTORS.md").split(f"## {route[0].upper()}{route[1:]}\n")[1]
        table = part.split("\n## ")[0]
        assert list(lessons) == re.findall(r"^\| (\d\d)[, ]", table, re.M), route
        for number, keys in lessons.items():
            texts = captions.read(ROOT / "lessons" / "captions" / f"{LESSONS[number].stem}.toml")
            assert set(keys) <= set(texts) and 2 <= len(keys) <= 6, (route, number)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_a_lesson_takes_about_as_long_as_it_says(lesson):
    counted, stated = sum(minutes.counted(lesson.stem)), sum(minutes.stated(lesson.stem))
    assert 0.8 * stated < counted < 1.25 * stated, "python tools/minutes.py"


@pytest.mark.parametrize("number", LESSONS)
def test_each_lesson_has_a_part_in_the_guide(number):
    assert re.search(rf"^### {number} ", read("INSTRUCTORS.md"), re.MULTILINE)


def test_the_glossary_is_in_order_and_its_terms_are_used():
    rows = re.findall(r"^\| (.+?) \| .+ \| \[(\d\d)\]\(.+\) \|$", read("GLOSSARY.md"), re.MULTILINE)
    terms = [term.lower() for term, _ in rows]
    assert len(terms) > 50 and terms == sorted(set(terms))
    for term, number in rows:
        words = LESSONS[number].read_text("utf-8").lower().replace("\n# ", " ").split()
        assert term.lower().split(" (")[0] in " ".join(words), f"{term} in lesson {number}"


def test_the_index_of_exercises_fits_the_lessons():
    assert exercises_page.page(list(LESSONS.values())) == read("EXERCISES.md"), (
        "python tools/exercises_page.py"
    )


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    assert page in read("README.md")
    for target in re.findall(r"\]\(([^)#]+)", read(page)):
        assert (ROOT / target).is_file(), target
