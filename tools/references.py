"""Turn a lesson's citation keys, as in [@bach2015], into links that say who and when."""

import re

ENTRY = re.compile(r"^- \*\*(\w+)\*\*: (.*?) \((\d{4})\)(.*)$", re.MULTILINE)


def links(text):
    """Read REFERENCES.md: by key, a Markdown link to the work, or to the list if it has no address."""
    found = {}
    for key, authors, year, rest in ENTRY.findall(text):
        name = authors.split(",")[0] + (" et al." if authors.count("., ") else "")
        address = re.search(r"<(https?://[^>]+)>", rest)
        found[key] = f"[{name} {year}]({address[1] if address else '../REFERENCES.md'})"
    return found


def cite(text, known):
    """Replace [@key] and [@key; @key] by links; a key that is not known stays as it is."""

    def link(match):
        keys = [key.strip().removeprefix("@") for key in match[1].split(";")]
        return "; ".join(known.get(key, f"[@{key}]") for key in keys)

    return re.sub(r"\[(@\w+(?:;\s*@\w+)*)\]", link, text)
