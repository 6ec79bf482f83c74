"""The small coloured boxes in which checks and claims answer."""

import html
import re

# White letters stand on these, on light pages and on dark ones. A figure's colours are too pale.
GREEN, ORANGE, RED, GREY = "#00795c", "#b65a00", "#c0392b", "#6b7280"
AS_IT_IS = "mathjax_ignore tex2jax_ignore"  # JupyterLab, Colab: a dollar begins no formula


def marked(text):
    """Return plain text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def card(mark, title, text, colour):
    """Return HTML for one box: a coloured edge, a mark and a bold title, then text.

    The title brings its own background, and the text has the page's colour: both can be read on
    light and on dark pages. What stands between backticks in the text becomes code.
    """
    colour = html.escape(colour)
    badge = f"background-color: {colour}; color: #ffffff; padding: 1px 8px; border-radius: 3px;"
    return (
        f'<div class="{AS_IT_IS}" style="border-left: 4px solid {colour}; padding: 4px 12px; '
        'margin: 4px 0;">'
        f'<b style="{badge}">{html.escape(mark)} {html.escape(title)}</b> {marked(text)}</div>'
    )
