"""Every citation key leads to an entry of REFERENCES.md, and every entry has a key of its own."""

import re
from pathlib import Path

import pytest
from references import cite, links

from utils.explain import methods

ROOT = Path(__file__).resolve().parents[2]
KEY = r"[a-z][a-z0-9]*"


def entries(text):
    """The keys that a reference list defines, in order."""
    return re.findall(rf"^- \*\*({KEY})\*\*:", text, re.MULTILINE)


def cited(text):
    """The keys that a lesson cites: as [@key] or [@key; @key], or a claim's source on a line."""
    groups = re.findall(r"\[(@[^\]]*)\]", text)
    prose = [key for group in groups for key in re.findall(r"@([^\s;,\]]+)", group)]
    return set(prose) | set(re.findall(r'(?m)^ +"([a-z]+\d{4}[a-z]*)",$', text))


def dangling(text, keys):
    return sorted(cited(text) - set(keys))


def duplicates(keys):
    return sorted({key for key in keys if keys.count(key) > 1})


KEYS = entries((ROOT / "REFERENCES.md").read_text(encoding="utf-8"))


def test_the_finder_finds_what_is_wrong():
    keys = entries(
        "- **bach2015**: On ...\n- **luo2016**: In ...\n- **luo2016**: again\ntext **no**: x"
    )
    assert keys == ["bach2015", "luo2016", "luo2016"]
    assert duplicates(keys) == ["luo2016"]
    lesson = (
        'As [@bach2015; @nobody1999] say. [@Luo2016, p. 3]\nrecord(\n    "a",\n    "mine2020",\n)'
    )
    assert dangling(lesson, keys) == ["Luo2016", "mine2020", "nobody1999"]
    assert dangling("[@bach2015] and an array@matrix, a[i] @ b", keys) == []


def test_keys_are_unique():
    assert "lecture" in KEYS and len(KEYS) > 30
    assert duplicates(KEYS) == []


@pytest.mark.parametrize("lesson", sorted((ROOT / "lessons").glob("*.py")), ids=lambda p: p.stem)
def test_citations_lead_somewhere(lesson):
    missing = dangling(lesson.read_text(encoding="utf-8"), KEYS)
    assert not missing, f"{lesson.name} cites {missing}, which REFERENCES.md does not have."


def test_every_list_item_is_an_entry_with_a_key():
    text = (ROOT / "REFERENCES.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^- ", text, re.MULTILINE)) == len(KEYS)


def test_no_reference_comes_twice():
    text = (ROOT / "REFERENCES.md").read_text(encoding="utf-8")
    dois = re.findall(r"https://(?:doi\.org|arxiv\.org/abs)/[^>\s]+", text)
    assert len(dois) > 25
    assert duplicates(dois) == []


def test_keys_become_links():
    known = links(
        "- **bach2015**: Bach, S., Binder, A., Samek, W. (2015). On <https://doi.org/10.1/x>\n"
        "- **labe2021**: Labe, Z. M., Barnes, E. A. (2021). Detecting <https://doi.org/10.1/y>\n"
        "- **many2011**: Many, F., et al. (2011). All <https://doi.org/10.1/z>\n"
        "- **lecture**: Ebert-Uphoff, I. (2020). Slides."
    )
    assert cite("As [@bach2015; @lecture] say, and [@b].", known) == (
        "As ([Bach et al. 2015](https://doi.org/10.1/x); [Ebert-Uphoff 2020](../REFERENCES.md)) "
        "say, and ([@b])."
    )
    assert cite("[@labe2021; @many2011]", known) == (
        "([Labe and Barnes 2021](https://doi.org/10.1/y); [Many et al. 2011](https://doi.org/10.1/z))"
    )
    assert (
        cite("x\n- [@bach2015]: LRP", known)
        == "x\n- [Bach et al. 2015](https://doi.org/10.1/x): LRP"
    )
    assert cite("- [@lecture], [@bach2015]: LRP [@lecture]", known) == (
        "- [Ebert-Uphoff 2020](../REFERENCES.md), [Bach et al. 2015](https://doi.org/10.1/x): LRP "
        "([Ebert-Uphoff 2020](../REFERENCES.md))"
    )


def test_every_dated_entry_can_be_cited():
    text = (ROOT / "REFERENCES.md").read_text(encoding="utf-8")
    assert set(links(text)) <= set(KEYS)
    lessons = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("lessons/*.py"))
    assert {key for key in cited(lessons) if key in KEYS} <= set(links(text))


def test_every_method_has_a_source():
    assert set(methods().source) <= set(KEYS)
