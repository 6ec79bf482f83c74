"""The pipeline, tried on a small lesson of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import build_lessons
import claims_page
import lesson_inputs
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = """\
# %% [markdown]
# # A tiny lesson

# %%
import sys

from IPython.display import display
from tqdm.auto import tqdm

from utils import claims, small
from utils.check import exercise, right, wrong

bars = list(tqdm(range(3))) + list(__import__("tqdm").tqdm(range(3)))

# %% tags=["exercise"]
answer = ...

# %% tags=["solution"]
answer = small.double(21)

# %% tags=["check"]
exercise(lambda x: right("Twice 21.") if x == 42 else wrong("Not twice 21."))(answer)

# %%
import ipywidgets

ipywidgets.IntSlider()

# %% tags=["figure"]
import matplotlib.pyplot as plt

from utils.plots import captions, show

captions.use("01_tiny")
fig, ax = plt.subplots()
ax.plot([1, 2, 3])
show(fig, "line")

# %% tags=["guess"]
guess = {"tiny": None}

# %% tags=["nbval-check-output"]
for i in range(3):
    print(i)
    sys.stdout.flush()

# %% tags=["claims"]
claims.record("tiny", "Lines | rise.", "slide: Lines", "rise", 2, (1.5, 2.5), "> 1", "m")
"""


LECTURE = """\
[[slide]]
title = "Lines"
says = [
    {sentence = "Lines rise.", claims = ["tiny"]},
    {sentence = "Lines matter.", not_tested = "an opinion"},
]
"""

CAPTIONS = """\
[line]
caption = "A straight line of three points."
alt = "A straight line that rises from one to three."
"""


@pytest.fixture
def course(tmp_path):
    """A course with one lesson, a copy of what it needs of `utils`, and a data file."""
    for folder in ("lessons/captions", "data", "utils"):
        (tmp_path / folder).mkdir(parents=True)
    for package in ("check", "plots"):
        shutil.copytree(ROOT / "utils" / package, tmp_path / "utils" / package)
    for module in ("__init__", "claims", "environment", "plain"):
        shutil.copy(ROOT / "utils" / f"{module}.py", tmp_path / "utils")
    (tmp_path / "utils" / "small.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "lessons" / "01_tiny.py").write_text(LESSON, encoding="utf-8")
    (tmp_path / "lessons" / "captions" / "01_tiny.toml").write_text(CAPTIONS)
    (tmp_path / "data" / "README.md").touch()
    (tmp_path / "requirements.txt").write_text("something==1.0\n")
    return tmp_path


def make(course, *arguments):
    return build_lessons.main(list(arguments), course)


def executed(notebook, *args):
    """Instead of `execute`: nothing is run, nothing is used."""
    notebook.metadata.course["made_from"] = {}


def files(course):
    made = [*course.glob("notebooks/*"), *course.glob("solutions/*"), course / "CLAIMS.md"]
    return {path.name + path.parent.name: path.read_bytes() for path in made}


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_both_editions(course, capsys):
    (course / "lessons" / "lecture.toml").write_text(LECTURE, encoding="utf-8")
    assert make(course) == 0
    exercises = nbformat.read(course / "notebooks" / "01_tiny.ipynb", as_version=4)
    solutions = nbformat.read(course / "solutions" / "01_tiny.ipynb", as_version=4)
    for notebook in (exercises, solutions):
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        assert "widgets" not in notebook.metadata
        folded = [c.source for c in notebook.cells if c.metadata.get("jupyter")]
        assert [source.split()[0] for source in folded] == ["import", 'claims.record("tiny",']
        assert all(c.metadata.jupyter == {"source_hidden": True} for c in notebook.cells[-1:])
    learner = "\n".join(cell.source for cell in exercises.cells)
    solver = "\n".join(cell.source for cell in solutions.cells)
    assert "answer = ..." in learner and "small.double" not in learner
    assert "answer = ..." not in solver and "small.double" in solver
    assert 'guess = {"tiny": None}' in learner and 'guess = {"tiny": None}' in solver
    assert outputs(exercises) == []
    shared = {cell.id for cell in exercises.cells} & {cell.id for cell in solutions.cells}
    assert len(shared) == len(exercises.cells) - 1

    stored = outputs(solutions)
    text = str(stored)
    assert "Twice 21." in text and "it/s" not in text and "widget-view" not in text
    assert sum(output.get("text") == build_lessons.PANEL + "\n" for output in stored) == 1
    assert [output.text for output in stored if output.get("text", "").startswith("0")] == [
        "0\n1\n2\n"
    ]
    pictures = [output for output in stored if "image/png" in output.get("data", {})]
    alt = "A straight line that rises from one to three."
    assert [picture.metadata["image/png"].alt for picture in pictures] == [alt]
    assert "A straight line of three points." in text
    assert all(cell.metadata.keys() <= {"tags", "jupyter"} for cell in solutions.cells)

    page = (course / "CLAIMS.md").read_text()
    assert "## [A tiny lesson](solutions/01_tiny.ipynb)" in page
    row = (
        '<a id="tiny"></a>Lines \\| rise. | slide: Lines | rise | 2 m (1.5 to 2.5) | > 1 m | holds'
    )
    assert f"| {row} |" in page
    assert "| Lines | Lines rise. | rise: [holds](#tiny), lesson 01 |" in page
    assert "|  | Lines matter. | not tested: an opinion |" in page

    # Nothing changes: nothing is executed, no byte differs. Executed again: no byte differs.
    before = files(course)
    capsys.readouterr()
    assert make(course) == 0
    assert "unchanged" in capsys.readouterr().out
    assert files(course) == before
    assert make(course, "--execute", "01") == 0
    assert "executed" in capsys.readouterr().out
    assert files(course) == before


def test_a_worked_in_notebook_is_kept(course, capsys, monkeypatch):
    monkeypatch.setattr(build_lessons, "execute", executed)
    assert make(course) == 0
    path = course / "notebooks" / "01_tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)

    # A run, or a copy under another name, is no work that could be lost.
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    nbformat.write(notebook, path)
    shutil.copy(path, path.with_name("01_tiny_mine.ipynb"))
    assert build_lessons.stale(course / "lessons" / "01_tiny.py") == []
    assert make(course) == 0

    notebook.cells[2].source = "answer = 42"
    nbformat.write(notebook, path)
    work = path.read_bytes()
    capsys.readouterr()
    assert make(course) == 1
    said = capsys.readouterr().err
    assert "notebooks/01_tiny.ipynb has your work in it" in said and "01_tiny_mine.ipynb" in said
    assert path.read_bytes() == work
    sentences = build_lessons.stale(course / "lessons" / "01_tiny.py")
    assert len(sentences) == 1 and "has your work in it" in sentences[0]
    assert make(course, "--force") == 0
    assert path.read_bytes() != work and path.with_name("01_tiny_mine.ipynb").exists()


DEEP = """\
import numpy
from pathlib import Path

def double(x):
    data = Path(__file__).parents[1] / "data"
    (data / "checksums.txt").read_text()  # of all data
    return x * int((data / "weights" / f"po{'ny'}.npz").read_text())
"""
SMALL = """\
def double(x):
    from utils import deep

    return deep.double(x)  # not with goat.nc
"""


def test_what_makes_a_lesson_stale(course):
    lesson, deep = course / "lessons" / "01_tiny.py", course / "utils" / "deep.py"
    pony, goat = course / "data" / "weights" / "pony.npz", course / "data" / "goat.nc"
    pins = course / "requirements.txt"
    pony.parent.mkdir()
    for path, text in (
        (deep, DEEP),
        (course / "utils" / "small.py", SMALL),
        (pony, "2"),
        (goat, "3"),
        (goat.with_name("checksums.txt"), "all"),
        (pins, "jupyterlab==4.0\nnumpy==1.0 ; python_version < '4' \\\n    --hash=x\n"),
    ):
        path.write_text(text)
    assert make(course) == 0
    solution = course / "solutions" / "01_tiny.ipynb"
    used = nbformat.read(solution, as_version=4).metadata.course.made_from
    modules = "__init__ check/__init__ claims deep environment plain small".split()
    modules += ["plots/__init__", "plots/captions", "plots/cards", "plots/guesses", "plots/plots"]
    files = {f"utils/{name}.py" for name in modules} | {"data/weights/pony.npz"}
    assert used.keys() == files | {"numpy"} and used["numpy"] == "1.0"

    def changes(path, old, new):
        """What the sentence says of a change, which is then undone."""
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))
        found = build_lessons.stale(lesson)
        path.write_text(before)
        assert build_lessons.stale(lesson) == []
        return found[-1].partition(" is stale, for ")[2] if found else ""

    (course / "utils" / "unused.py").write_text("")
    assert build_lessons.stale(lesson) == []
    assert changes(deep, "def double", "# a comment\ndef double") == ""
    assert changes(deep, "(x):\n", "(x):\n    'A docstring.'\n\n") == ""
    assert changes(goat, "3", "4") == ""
    assert changes(pins, "jupyterlab==4.0", "jupyterlab==4.1") == ""
    cure = ": run `make lessons`."
    assert changes(deep, "x * int", "2 + int") == "utils/deep.py changed" + cure
    assert changes(pony, "2", "3") == "data/weights/pony.npz changed" + cure
    assert changes(pins, "numpy==1.0", "numpy==1.1") == "numpy changed" + cure
    assert changes(pins, "numpy==1.0", "") == "numpy changed" + cure
    assert changes(solution, '"made_from"', '"made"') == "it was not executed" + cure
    assert changes(lesson, "double(21)", "double(20) + 2") == "its code has changed" + cure
    deep.unlink()
    assert "for utils/deep.py changed" in build_lessons.stale(lesson)[0]


def test_new_text_is_not_executed_again(course, monkeypatch, capsys):
    assert make(course) == 0
    lesson, solution = course / "lessons" / "01_tiny.py", course / "solutions" / "01_tiny.ipynb"
    before = nbformat.read(solution, as_version=4)
    monkeypatch.setattr(build_lessons, "execute", None)
    text = LESSON.replace("# A tiny", "# A small").replace("answer = small", "# 42\nanswer = small")
    lesson.write_text(text, encoding="utf-8")
    sentences = build_lessons.stale(lesson)
    assert len(sentences) == 2 and all("its text has changed" in said for said in sentences)
    capsys.readouterr()
    assert make(course) == 0
    assert "not executed" in capsys.readouterr().out
    after = nbformat.read(solution, as_version=4)
    assert after.cells[0].source == "# A small lesson" and "# 42" in str(after.cells)
    assert outputs(after) == outputs(before) != []
    assert build_lessons.stale(lesson) == []


def test_new_captions_are_not_executed_again(course, monkeypatch, capsys):
    assert make(course) == 0
    lesson, solution = course / "lessons" / "01_tiny.py", course / "solutions" / "01_tiny.ipynb"
    words = course / "lessons" / "captions" / "01_tiny.toml"
    before, learners = solution.read_text(), (course / "notebooks" / "01_tiny.ipynb").read_text()
    assert "A straight line" not in learners
    monkeypatch.setattr(build_lessons, "execute", None)
    words.write_text(CAPTIONS.replace("A straight", "One `straight`"))
    (sentence,) = build_lessons.stale(lesson)
    assert "solutions/01_tiny.ipynb is stale, for its captions have changed" in sentence
    capsys.readouterr()
    assert make(course) == 0
    assert "not executed" in capsys.readouterr().out
    after = nbformat.read(solution, as_version=4)
    texts = [o for o in outputs(after) if o.get("metadata", {}).get("figure") == "line"]
    assert texts[0].metadata["image/png"].alt == "One `straight` line that rises from one to three."
    assert "One <code>straight</code> line of three points." in texts[1].data["text/html"]
    assert texts[1].data["text/plain"] == "One `straight` line of three points."
    assert build_lessons.stale(lesson) == []

    # Back again: no byte differs from what was executed.
    words.write_text(CAPTIONS)
    assert make(course) == 0
    assert solution.read_text() == before

    for text, said in [("", "has no caption for its figure line"), ("[", "read as TOML")]:
        words.write_text(text)
        assert said in build_lessons.stale(lesson)[0]
        assert make(course) == 1
        assert said in capsys.readouterr().err


def test_a_panel_is_stored_as_a_picture_with_its_caption():
    data = {build_lessons.WIDGET: {}, "image/png": "aGVsbG8=", "text/plain": "A panel."}
    metadata = {"image/png": {"alt": "It shows a horse."}, "figure": "panel"}
    new = nbformat.v4.new_output
    output = new("execute_result", {**data, "text/html": "<p>A panel.</p>"}, metadata=metadata)
    picture, caption, line = build_lessons.tidied(output, 3)
    assert picture == new(
        "display_data", {"image/png": "aGVsbG8=", "text/plain": "[figure]"}, metadata=metadata
    )
    said = {"text/html": "<p>A panel.</p>", "text/plain": "A panel."}
    assert caption == new("display_data", said, metadata={"figure": "panel"})
    assert line.text == build_lessons.PANEL + "\n"


def test_code_is_the_same_without_comments_and_docstrings():
    one, *same = [
        "def f(x):\n    return x + 1",
        "# add\n\ndef f( x ):\n    'Add.'\n    return (x + 1)  # one",
        "'What it does.'\r\ndef f(x):\r\n    return x + 1",
    ]
    assert {lesson_inputs.code(text) for text in same} == {lesson_inputs.code(one)}
    other = [one.replace("1", "2"), one.replace("x", "y"), "async " + one, "def (", "def )"]
    assert len({lesson_inputs.code(text) for text in (one, *other)}) == 6


@pytest.mark.parametrize(
    "code, words",
    [
        ("low = 1\nlow / 0", ["01_tiny fails in code cell 2", "low = 1", "ZeroDivisionError"]),
        ("import os\nos._exit(1)", ["01_tiny fails in code cell 2", "import os", "died"]),
        ("def (", ["01_tiny fails in code cell 2", "def (", "SyntaxError"]),
        (
            "import warnings\nwarnings.warn('low')",
            ["01_tiny warns in code cell 2", "import warnings", "UserWarning: low"],
        ),
    ],
)
def test_a_failing_cell_is_reported(course, capsys, code, words):
    lesson = course / "lessons" / "01_tiny.py"
    lesson.write_text(f"# %%\nprint('fine')\n# %%\n{code}\n# %%\nprint('never')\n")
    assert make(course) == 1
    said = capsys.readouterr().err
    assert all(word in said for word in words), said
    assert len(said.splitlines()) < 16
    assert not (course / "solutions" / "01_tiny.ipynb").exists()


def test_claim_ids_are_used_once(course, capsys, monkeypatch):
    claim = dict.fromkeys(claims_page.COLUMNS.values(), "x") | {"id": "tiny"}
    data = {claims_page.MIME: claim}

    def execute(notebook, *args):
        executed(notebook)
        notebook.cells[1].outputs = [nbformat.v4.new_output("display_data", data=data)]

    monkeypatch.setattr(build_lessons, "execute", execute)
    assert make(course) == 0
    shutil.copy(course / "lessons" / "01_tiny.py", course / "lessons" / "02_tiny.py")
    assert make(course) == 1
    assert "Claim tiny is recorded twice, in 01_tiny and in 02_tiny" in capsys.readouterr().err


@pytest.mark.parametrize(
    "source, names, words",
    [
        (
            "slide: Circles",
            "tiny",
            "Claim tiny names a slide that lecture.toml has not: 'Circles'.",
        ),
        ("slide: Lines", "huge", "names the claim huge, which no solved lesson records"),
    ],
)
def test_the_lecture_and_the_claims_fit(source, names, words):
    claim = dict.fromkeys(claims_page.COLUMNS.values(), "x") | {"id": "tiny", "source": source}
    new = nbformat.v4
    output = new.new_output("display_data", data={claims_page.MIME: claim})
    notebook = new.new_notebook(cells=[new.new_code_cell("", outputs=[output])])
    notebook.cells.insert(0, new.new_markdown_cell("# Tiny"))
    lecture = [{"title": "Lines", "says": [{"sentence": "Lines rise.", "claims": [names]}]}]
    with pytest.raises(claims_page.LessonError, match=re.escape(words)):
        claims_page.page({"01_tiny": notebook}, lecture)


def test_a_verdict_is_not_put_down_to_a_slide_that_did_not_claim_it():
    claim = {
        "sentence": "It rises.",
        "text": "slope",
        "verdict": "holds",
        "id": "x",
        "lesson": "01_x",
    }
    came_of = claims_page.came_of
    own = came_of(claim | {"source": "slide: Lines"}, "slide: Lines")
    assert own == "slope: [holds](#x), lesson 01"
    other = came_of(claim | {"source": "this course"}, "slide: Lines")
    assert other == "It rises. (this course): [holds](#x), lesson 01"


def test_an_unknown_lesson_is_an_error(course, capsys):
    assert make(course, "77") == 1
    assert "No lesson begins with 77." in capsys.readouterr().err


@pytest.mark.slow  # the browser's tests compare what the text quotes, too
def test_both_editions_run_under_nbval(course):
    assert make(course) == 0

    def nbval():
        command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
        return subprocess.run(
            [*command, "-p", "no:cacheprovider", "notebooks", "solutions"],
            cwd=course,
            env={**os.environ, "PYTHONPATH": str(course)},
            capture_output=True,
            text=True,
        )

    run = nbval()
    assert run.returncode == 0, run.stdout
    assert "16 passed" in run.stdout

    # A number that the text quotes is compared; a figure or a claim is not.
    path = course / "solutions" / "01_tiny.ipynb"
    text = path.read_text()
    path.write_text(text.replace('"2\\n"', '"3\\n"').replace("1.5 to 2.5", "1.6 to 2.4"))
    run = nbval()
    assert "1 failed, 15 passed" in run.stdout, run.stdout
