"""Captions and alt texts of a lesson's figures, by key, from lessons/captions/.

They stand in a file beside the lesson and not in its cells, so that no cell tells what the figure
will show before it has run.
"""

import tomllib

from utils.environment import course_folder
from utils.plots.cards import AS_IT_IS, marked

FEWEST = 4  # words that make a sentence
PARTS = {"caption", "alt"}
_figures = {}  # of this process's lesson


def read(path):
    """Read a file of captions.

    Parameters
    ----------
    path : Path
        A TOML file with a table for each figure, which holds two sentences: ``caption``, what is
        drawn, and ``alt``, for readers who cannot see the figure. No file is no figure.

    Returns
    -------
    dict of str to dict of str to str
        By key, then "caption" and "alt", each on one line.

    Raises
    ------
    ValueError
        If the file is no TOML, or a figure has other entries than these two sentences.
    """
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of TOML or of UTF-8
        raise ValueError(f"captions/{path.name} cannot be read as TOML: {error}.") from None
    figures = {}
    for key, texts in found.items():
        if not isinstance(texts, dict) or texts.keys() != PARTS:
            raise ValueError(f"captions/{path.name}: [{key}] needs a caption and an alt, no more.")
        figures[key] = {part: " ".join(str(text).split()) for part, text in texts.items()}
        for part, text in figures[key].items():
            if len(text.split()) < FEWEST:
                raise ValueError(f"captions/{path.name}: {part} of [{key}] must be a sentence.")
    return figures


def use(lesson):
    """Take the figures of this lesson, or of none, from now on.

    Parameters
    ----------
    lesson : str or None
        Its name, such as ``"01_clever_hans"``.

    Raises
    ------
    ValueError
        If there is no such lesson.
    """
    global _figures
    if lesson is None:
        _figures = {}
        return
    folder = course_folder()
    if folder is None:
        raise ValueError("The lessons were not found: start from inside the course's folder.")
    known = sorted(path.stem for path in (folder / "lessons").glob("[0-9]*.py"))
    if lesson not in known:
        raise ValueError(f"There is no lesson called {lesson!r}; there are {', '.join(known)}.")
    _figures = read(folder / "lessons" / "captions" / f"{lesson}.toml")


def of(text):
    """Return the key, caption and alt text of a figure.

    Parameters
    ----------
    text : str
        A key of the lesson in use; or a sentence, which is both caption and alt text.

    Returns
    -------
    (str or None, str, str)
        The key is None for a sentence.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(text, str) and text in _figures:
        return text, _figures[text]["caption"], _figures[text]["alt"]
    if not isinstance(text, str) or len(text.split()) < FEWEST:
        keys = f"a key of this lesson ({', '.join(_figures)}) or " if _figures else ""
        raise ValueError(
            f"There is no figure {text!r}: give {keys}a sentence of at least {FEWEST} words that "
            "says what the figure shows."
        )
    text = " ".join(text.split())
    return None, text, text


def data(caption):
    """Return a caption as the data of an output, by MIME type."""
    look = f'class="{AS_IT_IS}" style="opacity: 0.75; max-width: 48em;"'
    return {"text/html": f"<div {look}>{marked(caption)}</div>", "text/plain": caption}
