"""The small coloured boxes in which checks and claims answer."""

import html
import re

# Darker than the figures' colours, since text is written in them.
GREEN, ORANGE, RED, GREY = "#00795c", "#b65a00", "#c0392b", "#6b7280"
AS_IT_IS = "mathjax_ignore tex2jax_ignore"  # JupyterLab, Colab: a dollar begins no formula


def marked(text):
    """Return plain text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def card(mark, title, text, colour):
    """Return HTML for one box: a coloured edge, a mark and a bold title, then plain text."""
    colour = html.escape(colour)
    return (
        f'<div class="{AS_IT_IS}" style="border-left: 4px solid {colour}; padding: 4px 12px; '
        'margin: 4px 0;">'
        f'<b style="color: {colour};">{html.escape(mark)} {html.escape(title)}</b> '
        f"{html.escape(text)}</div>"
    )
