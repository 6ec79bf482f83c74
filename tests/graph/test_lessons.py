"""Every lesson keeps to the course's rules, and both editions fit their source."""

import re
import subprocess
from pathlib import Path

import build_lessons
import claims_page
import jupytext
import nbformat
import pytest

from tests.graph.lesson_rules import caption_problems, output_problems, source_problems
from utils.plots import captions

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(ROOT.glob("lessons/[0-9]*.py"))
MB = 1_000_000

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)


def whole(lesson):
    return jupytext.reads(lesson.read_text(encoding="utf-8"), fmt="py:percent")


@each_lesson
def test_editions_fit_their_lesson(lesson):
    assert build_lessons.stale(lesson) == []


def test_the_climate_lesson_is_not_made_from_other_worlds():
    used = build_lessons.read(ROOT / "solutions" / "08_climate_indicators.ipynb").metadata.course
    worlds = {name.split("/")[2] for name in used.made_from if name.startswith("utils/worlds/")}
    assert worlds == {"__init__.py", "climate", "drawing.py"}


@each_lesson
def test_lesson_keeps_the_rules(lesson):
    assert list(source_problems(whole(lesson), ROOT / "notebooks")) == []


@each_lesson
def test_no_cell_tells_what_it_will_show(lesson):
    figures = captions.read(lesson.parent / "captions" / f"{lesson.stem}.toml")
    assert list(caption_problems(whole(lesson), figures)) == []
    assert f'course.start("{lesson.stem}"' in lesson.read_text(encoding="utf-8")


@each_lesson
def test_outputs_keep_the_rules(lesson):
    path = ROOT / "solutions" / f"{lesson.stem}.ipynb"
    notebook = build_lessons.read(path)
    assert notebook, f"There is no solutions/{path.name}: run `make lessons`."
    references = (ROOT / "REFERENCES.md").read_text(encoding="utf-8")
    assert list(output_problems(notebook, references)) == []
    assert path.stat().st_size < 2.5 * MB


def test_all_solved_lessons_together_are_not_large():
    assert sum(path.stat().st_size for path in ROOT.glob("solutions/*.ipynb")) < 20 * MB


def test_claims_page_fits_the_solved_lessons():
    editions = {
        path.stem: build_lessons.read(path) for path in sorted(ROOT.glob("solutions/*.ipynb"))
    }
    lecture = claims_page.slides(ROOT / "lessons" / "lecture.toml")
    assert claims_page.page(editions, lecture) == (ROOT / "CLAIMS.md").read_text(encoding="utf-8")


def test_the_lecture_and_the_claims_name_each_other():
    lecture = claims_page.slides(ROOT / "lessons" / "lecture.toml")
    text = "".join(path.read_text(encoding="utf-8") for path in LESSONS)
    titles = [slide["title"] for slide in lecture]
    assert len(set(titles)) == len(titles)
    named = set(re.findall(r"""["']slide: (.+?)["'],?\n""", text))
    assert named and named <= set(titles), named - set(titles)
    for row in (row for slide in lecture for row in slide["says"]):
        assert row["sentence"] and ("claims" in row) != ("not_tested" in row), row


def test_nothing_is_left_of_lessons_that_are_gone():
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("solutions/*.ipynb")]:
        course = build_lessons.read(path).metadata.get("course", {})
        made_here = course.get("lesson") == path.stem  # no copy under a name of a learner's own
        assert not made_here or path.stem in {lesson.stem for lesson in LESSONS}


def test_no_committed_file_is_large():
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode:
        pytest.skip("The course lies in no git repository, so nothing says what is committed.")
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    large = [str(file) for file in files if file.is_file() and file.stat().st_size > 5 * MB]
    assert large == []


# ---- the rules themselves ------------------------------------------------------------------------

GOOD = """\
# %% [markdown]
# # A good lesson
#
# ![A horse in front of a barn](horse.png)
#
# **Question.** Why?
#
# **Objectives.** You can say why.
#
# **Minutes.** 10 teaching, 5 exercises
#
# **Prerequisites.** None.
#
# **Needs.** 1 GB, no network.

# %%
from utils import course

course.start()

# %% tags=["exercise"]
answer = ...

# %% tags=["solution"]
answer = 3

# %% tags=["check"]
check.three(answer)

# %% tags=["guess"]
guess = {
    "cats": None,
    "dogs": None,
}

# %%
plots.show(fig, "pets")

# %% [markdown]
# <details><summary>What we saw</summary>
#
# Cats.
#
# </details>
#
# **Think.** And in your house?
#
# <details><summary>An answer</summary>
#
# Dogs.
#
# </details>

# %% [markdown] tags=["exercise"]
# What does it mean?

# %% [markdown] tags=["solution"]
# Much.

# %% [markdown]
# ## In this lesson you
# ## Quiz
# ## Claims
# ## References
"""


@pytest.fixture
def problems(tmp_path):
    (tmp_path / "horse.png").touch()

    def find(text):
        return list(source_problems(jupytext.reads(text, fmt="py:percent"), tmp_path))

    return find


def test_a_good_lesson_passes(problems):
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("# # A good", "# A good", "begins without a title"),
        ("**Question.**", "Question:", "no line **Question**"),
        ("**Objectives.**", "", "no line **Objectives**"),
        ("**Minutes.**", "", "no line **Minutes**"),
        ("**Prerequisites.**", "", "no line **Prerequisites**"),
        ("**Needs.**", "", "no line **Needs**"),
        ("## In this lesson you", "In this lesson you", "no section 'In this lesson you'"),
        ("## Quiz", "", "no section 'Quiz'"),
        ("## Claims", "", "no section 'Claims'"),
        ("## References", "", "no section 'References'"),
        ("# ![A horse in front of a barn](horse.png)", "#", "no title picture"),
        ("[A horse in front of a barn]", "[]", "horse.png without alt text"),
        ("horse.png", "cow.png", "cow.png, which does not exist"),
        ("course.start()", "print()", "course.start"),
        ("answer = 3", "answer = 3\n" * 26, "has 26 lines in the cell 'answer = 3'"),
        ("answer = 3", "open('/home/me/file')", "names a path of one machine"),
        ("# ## Quiz", "# ## Quiz\n" + "# %% [markdown]\n# x\n" * 43, "has 51 cells"),
        (
            '["solution"]\nanswer',
            '["other"]\nanswer',
            "no solution after the exercise in",
        ),
        ('tags=["check"]', "", "no check after the exercise in"),
        ('[markdown] tags=["exercise"]', "[markdown]", "a solution without an exercise"),
        ('"cats": None', '"cats": 3', "a guess that is not a dict of None in the cell 'guess = {'"),
        ("guess = {", "guesses = {", "a guess that is not a dict of None"),
        ("<summary>What we saw", "<summary>We saw", "does not fold what came out after the guess"),
        ("<summary>An answer", "<summary>Dogs", "no folded answer to 'Think'"),
    ],
)
def test_a_bad_lesson_is_found(problems, old, new, words):
    assert old in GOOD
    found = problems(GOOD.replace(old, new))
    assert any(words in sentence for sentence in found), found


TELLS = "f'{3} cats, of which most are black and some are as white as can be, {4} dogs'"


@pytest.mark.parametrize(
    "code, words",
    [
        (f"print({TELLS})", "tells in 69 letters in the cell"),
        ("plots.show(fig, 'A line that rises.')", "which has no caption"),
        ("plots.show(fig, f'line {y}')", "which has no caption"),
        ("plots.show(fig, 'curve')", "which has no caption"),
        ("print()", "a caption of a figure line, which it does not show"),
    ],
)
def test_a_cell_that_tells_is_found(code, words):
    def find(tag, code):
        text = f"# %%\nplots.show(fig, 'line')\n\n# %% {tag}\n{code}\n"
        text = text.replace("plots.show(fig, 'line')", "print()") if code == "print()" else text
        return list(caption_problems(jupytext.reads(text, fmt="py:percent"), {"line": {}}))

    good = f"def look(figure):\n    {TELLS[1:]}\n    plots.show(fig, figure)"
    assert find("", good) == []
    (said,) = find("", code)
    assert words in said
    if "plots" in code or "cats" in code:
        assert find('tags=["claims"]', code) == find('tags=["solution"]', code) == []


def executed():
    """Make a solved notebook with a good figure, a good claim and a check that accepts."""
    new = nbformat.v4
    figure = new.new_output("display_data", {"image/png": "aGVsbG8="})
    figure.metadata["image/png"] = {"alt": "A line that rises."}
    claim = {"application/vnd.peering-inside.claim+json": {"source": "bach2015"}}
    cells = [
        new.new_code_cell("figure()", outputs=[figure]),
        new.new_code_cell("record()", outputs=[new.new_output("display_data", claim)]),
        new.new_code_cell("check()", outputs=[new.new_output("stream", text="✓ Right.")]),
        new.new_code_cell("print()", outputs=[new.new_output("stream", text="see a/tmp/b")]),
    ]
    cells[2].metadata.tags = ["check"]
    return new.new_notebook(cells=cells)


def printing(text):
    return lambda notebook: notebook.cells[3].outputs[0].update(text=text)


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda n: n.cells[0].outputs[0].metadata.clear(), "figure without alt text"),
        (lambda n: n.cells[2].outputs.clear(), "its check does not accept"),
        (lambda n: n.cells[3].outputs[0].update(name="stderr"), "an error or a warning"),
        (lambda n: n.cells[3].metadata.update(execution={"started": "now"}), "stores timings"),
        (lambda n: n.metadata.update(widgets={}), "widget state"),
        (printing("read /tmp/file.nc"), "a path of one machine"),
        (printing(r"read C:\course"), "a path of one machine"),
        (printing("<Figure at 0x7fb984564820>"), "a memory address"),
        (printing("density over China -73669792.4"), "nothing here can have"),
        (printing("Wall time: 3 s"), "a timing"),
    ],
)
def test_bad_outputs_are_found(spoil, words):
    notebook = executed()
    assert list(output_problems(notebook, "- **bach2015**: On")) == []
    spoil(notebook)
    found = list(output_problems(notebook, "- **bach2015**: On"))
    assert any(words in sentence for sentence in found), found


def test_a_claim_cites_the_references():
    found = list(output_problems(executed(), "nothing"))
    assert found == ["cites bach2015, which REFERENCES.md does not have"]


@pytest.mark.parametrize("source", ["this course", "slide: What happened?"])
def test_a_claim_of_the_course_or_the_lecture_cites_no_paper(source):
    notebook = executed()
    notebook.cells[1].outputs[0].data[claims_page.MIME]["source"] = source
    assert list(output_problems(notebook, "nothing")) == []


def test_a_lesson_records_few_claims():
    notebook = executed()
    notebook.cells[1].outputs *= 8
    assert list(output_problems(notebook, "- **bach2015**: On")) == [
        "records 8 claims, more than 7: keep those that matter"
    ]
