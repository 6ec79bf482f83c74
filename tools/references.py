"""Turn a lesson's citation keys, as in [@bach2015], into links that say who and when."""

import re

ENTRY = re.compile(r"^- \*\*(\w+)\*\*: (.*?) \((\d{4})\)(.*)$", re.MULTILINE)


def links(text):
    """Read REFERENCES.md: by key, a Markdown link to the work, or to the list itself."""
    found = {}
    for key, authors, year, rest in ENTRY.findall(text):
        people = [name.split(",")[0] for name in authors.split("., ")]
        two = len(people) == 2 and people[1] != "et al."
        name = " and ".join(people) if two else people[0] + " et al." * (len(people) > 1)
        address = re.search(r"<(https?://[^>]+)>", rest)
        found[key] = f"[{name} {year}]({address[1] if address else '../REFERENCES.md'})"
    return found


def cite(text, known):
    """Replace [@key] and [@key; @key] by links, in parentheses unless they begin a list item."""

    def link(match):
        keys = (key.strip().removeprefix("@") for key in match[1].split(";"))
        return "; ".join(known.get(key, f"[@{key}]") for key in keys)

    cited = r"\[(@\w+(?:;\s*@\w+)*)\]"
    text = re.sub(rf"(?m)^- {cited}(, {cited})*", lambda item: re.sub(cited, link, item[0]), text)
    return re.sub(cited, lambda match: f"({link(match)})", text)
