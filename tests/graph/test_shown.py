"""What a lesson shows: figures with alt text, claims, and the verdicts of checks."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.colors import to_rgb
from PIL import Image

from utils import check, claims, plots

ALT = "A line that rises from one to three."


@pytest.fixture
def notebook():
    """Make this process look like a notebook, whose outputs can be captured."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def figure():
    fig, ax = plt.subplots(figsize=(5, 3))
    ax.plot([1, 2, 3])
    return fig


# ---- figures -------------------------------------------------------------------------------------


def test_show_gives_the_figure_its_alt_text(notebook):
    with capture_output() as captured:
        plots.show(figure(), "A <line>\n  that rises & rises.")
    picture, caption = captured.outputs
    alt = "A <line> that rises & rises."
    assert picture.metadata["image/png"] == {"alt": alt, "width": 5 * plots.SCREEN}
    assert "A &lt;line&gt; that rises &amp; rises." in caption.data["text/html"]
    assert caption.data["text/plain"] == "A <line> that rises & rises."
    size = Image.open(io.BytesIO(picture.data["image/png"])).size
    assert size == (5 * plots.DPI, 3 * plots.DPI)
    assert plt.get_fignums() == []


def test_show_works_outside_a_notebook(capsys):
    plots.show(figure(), ALT)
    assert capsys.readouterr().out == f"[figure] {ALT}\n"
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_bytes():
    assert plots.png(figure()) == plots.png(figure())
    plt.close("all")


@pytest.mark.parametrize("text", ["", "   ", "figure", "a line rises", None])
def test_show_refuses_what_says_nothing(text):
    with pytest.raises(ValueError, match="There is no figure .*: give a sentence of at least 4"):
        plots.show(figure(), text)
    plt.close("all")


TOML = (
    """\
[line]
caption = "The line, drawn\\tfrom `one` to three & on."
alt = """
    + '"""'
    + """
A line that rises
from one to three."""
    + '"""'
    + """

[bars]
caption = "Two bars, side by side."
alt = "Two bars, of which the left one is longer."
"""
)


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson whose figures have captions; gives the file of these."""
    path = tmp_path / "lessons" / "captions" / "01_lines.toml"
    path.parent.mkdir(parents=True)
    path.write_text(TOML)
    (tmp_path / "lessons" / "01_lines.py").touch()
    monkeypatch.setattr(plots.captions, "course_folder", lambda: tmp_path)
    plots.captions.use("01_lines")
    yield path
    plots.captions.use(None)


def test_show_finds_caption_and_alt_text_by_key(notebook, lesson):
    with capture_output() as captured:
        plots.show(figure(), "line")
    picture, caption = captured.outputs
    alt = "A line that rises from one to three."
    assert picture.metadata == {"image/png": {"alt": alt, "width": 500}, "figure": "line"}
    assert caption.metadata == {"figure": "line"}
    assert "drawn from <code>one</code> to three &amp; on." in caption.data["text/html"]
    assert caption.data["text/plain"] == "The line, drawn from `one` to three & on."
    assert alt not in str(caption.data)


def test_an_unknown_key_lists_those_of_the_lesson(lesson, capsys):
    with pytest.raises(ValueError, match=r"'lines': give a key .*\(line, bars\) or a sent"):
        plots.show(figure(), "lines")
    plots.show(figure(), ALT)  # a learner's own
    assert capsys.readouterr().out == f"[figure] {ALT}\n"
    plots.captions.use(None)
    with pytest.raises(ValueError, match="There is no figure 'line': give a sentence"):
        plots.show(figure(), "line")
    plt.close("all")


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("[bars]", "[bars", "01_lines.toml cannot be read as TOML: "),
        ("[bars]", "[line]", "01_lines.toml cannot be read as TOML: "),
        ('alt = "Two', 'all = "Two', r"\[bars\] needs a caption and an alt, no more"),
        ("[bars]", "[bars]\nkey = 1", r"\[bars\] needs a caption and an alt, no more"),
        ("[line]", "lines = 2\n[line]", r"\[lines\] needs a caption and an alt, no more"),
        ("Two bars, side by side.", "Two bars.", r"caption of \[bars\] must be a sentence"),
    ],
)
def test_a_file_of_captions_that_is_wrong_is_said(lesson, old, new, words):
    assert old in TOML
    lesson.write_text(TOML.replace(old, new))
    with pytest.raises(ValueError, match=words):
        plots.captions.use("01_lines")


def test_a_lesson_without_captions_has_no_figures(lesson):
    lesson.unlink()
    assert plots.captions.read(lesson) == {}
    with pytest.raises(ValueError, match="no lesson called '02_lines'; there are 01_lines"):
        plots.captions.use("02_lines")


def test_show_refuses_what_is_no_figure():
    with pytest.raises(TypeError, match="needs a matplotlib figure, not ndarray"):
        plots.show(np.zeros((2, 2)), ALT)


def image(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)


def test_a_picture_keeps_the_shape_of_its_pixels():
    fig, axes = plt.subplots(1, 3, figsize=(7, 3))
    chess = np.indices((20, 30)).sum(0) % 2
    plots.picture(axes[0], chess, "chess")
    plots.picture(axes[1], chess[:10, :15], "a part, larger")
    axes[2].plot([1, 2, 3])
    for ax in axes[:2]:
        ax.spines[:].set_visible(False)
    plots.sharpen(fig)
    drawn = image(plots.png(fig))
    assert drawn.shape[1] / 7 >= 0.99 * plots.FEWEST_DPI
    for ax, pixels in zip(axes, (chess, chess[:10, :15]), strict=False):
        left, low, right, high = ax.get_window_extent().extents
        rows = slice(round(len(drawn) - high), round(len(drawn) - low))
        inside = drawn[rows, round(left) : round(right), 0]
        dots = len(inside) // len(pixels)
        assert dots > 1 and (inside == 255 * np.kron(pixels, np.ones((dots, dots)))).all()
    plt.close(fig)


@pytest.mark.parametrize("pixels, width", [(64, 1.2), (64, 5), (256, 1.5), (4, 3), (2000, 2)])
@pytest.mark.parametrize("extent", [None, (0, 0.3, 0, 0.3), (0, 3e5, 0, 3e5), (0, 2, 0, 1)])
def test_a_figure_has_neither_few_dots_nor_very_many(pixels, width, extent):
    fig, ax = plt.subplots(figsize=(width, width))
    ax.imshow(np.zeros((pixels, pixels)), extent=extent)
    fig.draw_without_rendering()
    before = ax.get_position().size
    plots.sharpen(fig)
    assert 0.99 * plots.FEWEST_DPI <= fig.dpi <= 2.01 * plots.DPI
    assert plots.on_screen(fig) == pytest.approx(width * plots.SCREEN, abs=2)
    after = ax.get_position().size
    assert after[0] / after[1] == pytest.approx(before[0] / before[1], rel=0.05)
    plt.close(fig)


def test_few_colours_become_a_palette_and_many_stay():
    fig, ax = plt.subplots()
    ax.plot([1, 3, 2])
    lines = plots.png(fig)
    ax.imshow(np.random.default_rng(0).random((64, 64, 3)), extent=(0, 2, 1, 3), aspect="auto")
    photograph = plots.png(fig)
    plt.close(fig)
    assert len(plots.small(lines)) < 0.7 * len(lines)
    moved = abs(image(plots.small(lines)) - image(lines))
    assert moved.max() <= 12 and moved.mean() < 0.5
    assert plots.small(photograph) == photograph


# ---- claims --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, interval, goal, verdict",
    [
        (97, (96, 98), ">= 95", "holds"),
        (97, (95, 98), ">=95", "holds"),
        (97, (95, 98), "> 95", "undecided"),
        (97, (94, 98), ">= 95", "undecided"),
        (94, (93, 96), ">= 95", "undecided"),
        (94, (93, 94.5), ">= 95", "does not hold here"),
        (3, (1, 4), "<= 5", "holds"),
        (3, (1, 6), "< 5", "undecided"),
        (-0.3, (-0.4, -0.2), "<= -0.15", "holds"),
        (5, (5, 6), "< 5", "does not hold here"),
        (0, None, "<= 0", "holds"),
        (1, None, "<= 0", "does not hold here"),
    ],
)
def test_the_verdict_is_computed(value, interval, goal, verdict):
    assert claims.verdict(value, interval, goal)[0] == verdict


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3), st.integers(-100, 100))
def test_a_claim_and_its_opposite_never_both_hold(value, below, above, limit):
    interval = (value - below, value + above)
    says = [claims.verdict(value, interval, f"{sign} {limit}")[0] for sign in (">=", "<")]
    assert sorted(says) in (["does not hold here", "holds"], ["undecided", "undecided"])


CLAIM = {
    "id": "tag-share",
    "sentence": "It looks at the tag.",
    "source": "slide: Strategy 3",
    "text": "share on the tag",
    "value": 12.34,
    "interval": (5.1, 20),
    "goal": ">= 5",
}


def test_record_stores_the_claim(notebook):
    with capture_output() as captured:
        claims.record(**CLAIM, unit="%")
    (output,) = captured.outputs
    assert output.data[claims.MIME] == {
        "id": "tag-share",
        "sentence": "It looks at the tag.",
        "source": "slide: Strategy 3",
        "text": "share on the tag",
        "measured": "12.3 % (5.1 to 20)",
        "goal": ">= 5 %",
        "verdict": "holds",
    }
    line = (
        "It looks at the tag. (slide: Strategy 3) "
        "Measured: share on the tag, 12.3 % (5.1 to 20), goal >= 5 %"
    )
    assert output.data["text/plain"] == f"✓ holds: {line}"
    assert line.replace(">", "&gt;") in output.data["text/html"]


def test_record_prints_outside_a_notebook(capsys):
    claims.record("big", "There are many.", "this course", "samples", 12345.6, None, "> 20000")
    line = "There are many. (this course) Measured: samples, 12346, goal > 20000"
    assert capsys.readouterr().out == f"✗ does not hold here: {line}\n"


@pytest.mark.parametrize(
    "goal, words",
    [
        ("> 5", "✓ confirmed: it does not: "),
        ("> 6", "~ undecided: "),
        ("> 20", "✗ not confirmed: here it does: "),
    ],
)
def test_a_negative_finding_is_confirmed_and_does_not_hold(capsys, goal, words):
    claims.record(**CLAIM | {"goal": goal}, negative=True)
    assert capsys.readouterr().out.startswith(words)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"id": "Tag share"}, "small letters"),
        ({"sentence": " "}, "needs the sentence that it tests"),
        ({"text": ""}, "and what was measured"),
        ({"source": "lecture"}, "the title of a slide"),
        ({"source": "slide: "}, "the title of a slide"),
        ({"source": "Bach et al."}, "a key of REFERENCES.md"),
        ({"value": 30}, "must lie in its interval"),
        ({"value": float("nan")}, "must lie in its interval"),
        ({"value": float("nan"), "interval": None}, "must lie in its interval"),
        ({"interval": (5, float("inf"))}, "must lie in its interval"),
        ({"goal": "= 5"}, "goal must look like"),
        ({"goal": ">= five"}, "goal must look like"),
        ({"interval": (1, 2, 3)}, "a lower and an upper end"),
        ({"interval": 5}, "a lower and an upper end"),
    ],
)
def test_record_refuses_a_bad_claim(change, words):
    with pytest.raises(ValueError, match=words):
        claims.record(**CLAIM | change)


# ---- checks --------------------------------------------------------------------------------------


@check.exercise
def double(answer, of):
    """Say whether the answer is twice a number."""
    if float(answer) == 2 * of:
        return check.right("Twice.")
    return check.wrong("That is <half>." if answer == of / 2 else "Not twice.")


@pytest.mark.parametrize(
    "answer, state, message",
    [
        (..., "unanswered", "Replace the `...`"),
        ([1, ...], "unanswered", "Replace the `...`"),
        ({"a": (1, ...)}, "unanswered", "Replace the `...`"),
        (6, "right", "Twice."),
        (1.5, "wrong", "That is <half>."),
        (None, "wrong", "TypeError"),
        ("six", "wrong", "could not convert string to float"),
        (np.ones((2, 2)), "wrong", "shape"),
    ],
)
def test_a_check_answers_and_never_raises(answer, state, message):
    for verdict in (double(answer, 3), double(answer=answer, of=3)):
        assert verdict.state == state
        assert message in repr(verdict)
    mark, title, _ = check.LOOKS[state]
    assert repr(verdict).startswith(f"{mark} {title}")
    assert mark in verdict._repr_html_() and "<half>" not in verdict._repr_html_()


def luminance(colour):
    """Relative luminance of a colour, as WCAG 2 defines it."""
    share = np.array(to_rgb(colour))
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


PAGES = ["#ffffff", "#111111"]  # JupyterLab's light and dark themes


@pytest.mark.parametrize("colour", ["GREEN", "ORANGE", "RED", "GREY"])
def test_a_verdict_can_be_read_on_light_and_dark_pages(colour):
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    value = getattr(plots.cards, colour)
    shown = plots.cards.card("!", "Title.", "Text.", value)
    assert f'<b style="background-color: {value}; color: #ffffff;' in shown
    assert contrast("#ffffff", value) >= 4.5  # its letters
    assert min(contrast(value, page) for page in PAGES) >= 3  # its edge, which is no text
    assert "color:" not in shown.partition("</b>")[2]  # the rest has the page's own


def test_backticks_become_code():
    shown = check.wrong("Use `a < b`, not `b`; a ` alone stays.")._repr_html_()
    assert "Use <code>a &lt; b</code>, not <code>b</code>; a ` alone stays." in shown
    assert repr(check.wrong("Use `a`.")) == "✗ Not yet. Use `a`."


def test_a_check_called_without_its_answer_is_wrong():
    assert double().state == "wrong"
    assert double.__doc__ == "Say whether the answer is twice a number."


def test_a_verdict_has_one_of_four_states():
    with pytest.raises(ValueError, match="unanswered, right, noted, wrong"):
        check.Verdict("fine", "")


# ---- heat maps -----------------------------------------------------------------------------------


def test_colours_of_a_sparse_map_end_at_its_largest_value():
    sparse = np.zeros((256, 256))
    sparse[100:110, 100:110] = -1e-3
    assert plots.colour_limit(sparse) == 1e-3
    assert plots.colour_limit(np.zeros((4, 4))) == 1
    dense = np.linspace(-1, 1, 1001)
    assert plots.colour_limit(dense) == pytest.approx(np.percentile(abs(dense), 99.5))
    for some in (sparse, np.zeros((4, 4)), np.float32(dense)):
        assert type(plots.colour_limit(some)) is float  # and single precision stays single
    with pytest.raises(ValueError, match="NaN or infinite"):
        plots.colour_limit([[np.nan]])


SIGNED, UNSIGNED = np.array([[-1.0, 4]]), np.array([[0.0, 2]])


def bar_of(*maps, **options):
    """Some heat maps and their bar."""
    fig, axes = plt.subplots(1, len(maps), squeeze=False)
    shown = [plots.heat_map(ax, one) for ax, one in zip(axes[0], maps, strict=True)]
    bar = plots.heat_map_bar(fig, shown[-1], axes, **options)
    plt.close(fig)
    return axes[0], bar, [text.get_text() for text in bar.ax.get_yticklabels()]


def test_a_bar_has_numbers_and_words_at_its_ends():
    _, bar, ends = bar_of(SIGNED)
    assert ends == ["\u22124\nagainst", "0", "4\nfor"] and bar.ax.get_ylabel() == "relevance"
    assert bar_of(SIGNED, words=("falls", "rises"))[2] == ["\u22124\nfalls", "0", "4\nrises"]


def test_where_nothing_is_negative_no_blue_is_on_the_bar():
    axes, bar, ends = bar_of(UNSIGNED - 1e-9)
    assert ends == ["0", "2\nfor"] and bar.mappable.get_clim()[0] == 0
    (image,) = axes[0].images
    both = plots.heat_map(plt.subplots()[1], UNSIGNED, signed=True)
    assert np.allclose(image.to_rgba([0.0, 2]), both.to_rgba([0.0, 2]), atol=0.02)
    plt.close("all")


def test_maps_that_end_elsewhere_have_their_numbers_below():
    axes, bar, ends = bar_of(SIGNED, UNSIGNED)
    assert [ax.get_xlabel() for ax in axes] == ["\u00b1 4", "0 to 2"]
    assert ends == ["against", "0", "for"] and bar.ax.get_ylabel().endswith("scaled to each map")
    axes, _, ends = bar_of(SIGNED, SIGNED)
    assert [ax.get_xlabel() for ax in axes] == ["", ""] and len(ends[0]) > len("against")


@pytest.mark.parametrize(
    "values, ends",
    [([-4, 0, 4], "neither"), ([-3, 0, 5], "max"), ([-5, 0, 3], "min"), ([-5, 0, 5], "both")],
)
def test_an_end_of_a_bar_is_pointed_where_values_go_on_beyond_it(values, ends):
    fig, ax = plt.subplots()
    drawn = plots.heat_map(ax, np.array([values]), limit=4)
    assert plots.heat_map_bar(fig, drawn, ax).extend == ends
    plt.close(fig)


def test_the_explained_value_stands_above_a_map():
    plots.style()
    _, ax = plt.subplots()
    plots.heat_map(ax, SIGNED, "LRP", explained=7.36)
    assert ax.get_title("left") == "LRP\nz = 7.4"
    plots.heat_map(ax, SIGNED, explained=-0.5)
    assert ax.get_title("left") == "z = -0.5"
    plt.close("all")
