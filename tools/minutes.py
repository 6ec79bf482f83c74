"""How long a lesson takes, counted: reading, code, figures, exercises and the run.

python tools/minutes.py    prints what is counted beside what each lesson states
"""

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
WORDS, LINE, FIGURE, PANEL, EXERCISE, THINK = 150, 4 / 60, 1, 3, 10, 2  # words a minute, minutes
RUN = 1  # minute, for the whole lesson
STATED = re.compile(r"\*\*Minutes:\*\* (\d+) teaching.*?(\d+) exercises", re.S)
NO_PROSE = re.compile(r"!\[[^]]*\]\([^)]*\)|(?<=\])\([^)]*\)|<[^>]+>|\$[^$]*\$")


def counted(name):
    """Minutes of teaching and of exercises of a lesson, by its learner's edition.

    Parameters
    ----------
    name : str
        Of the lesson, such as "00_start_here".

    Returns
    -------
    (float, float)
    """
    from build_lessons import code_cells, tags  # what builds the site has no such packages

    learners, solved = (
        nbformat.read(ROOT / folder / f"{name}.ipynb", 4) for folder in ("notebooks", "solutions")
    )
    prose = "\n".join(cell.source for cell in learners.cells if cell.cell_type == "markdown")
    words = len(re.findall(r"\w[\w'’.-]*", NO_PROSE.sub(" ", prose)))
    code = [c.source for c in code_cells(learners) if not {"claims", "colab"} & set(tags(c))]
    lines = [line.strip() for source in code for line in source.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    outputs = [output for cell in code_cells(solved) for output in cell.outputs]
    figures = sum("image/png" in output.get("data", {}) for output in outputs)
    panels = len(re.findall(r"panels\.(panel|loop)\(", "\n".join(code)))
    exercises = len(re.findall(r"(?m)^#+ Exercise", prose))
    teaching = words / WORDS + len(lines) * LINE + figures * FIGURE + panels * PANEL + RUN
    return teaching, exercises * EXERCISE + prose.count("**Think") * THINK


def stated(name):
    """Minutes of teaching and of exercises that a lesson states."""
    text = (ROOT / "lessons" / f"{name}.py").read_text(encoding="utf-8")
    return tuple(map(int, STATED.search(text).groups()))


def main():
    for path in sorted(ROOT.glob("lessons/[0-9]*.py")):
        found = " + ".join(f"{minutes:.0f}" for minutes in counted(path.stem))
        print(f"{path.stem}: counted {found}, stated {' + '.join(map(str, stated(path.stem)))}")


if __name__ == "__main__":
    main()
