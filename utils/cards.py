"""The small coloured boxes in which checks and claims answer."""

import html

GREEN, ORANGE, RED, GREY = "#00795c", "#b65a00", "#c0392b", "#6b7280"


def card(mark, title, text, colour):
    """Return HTML for one box: a coloured edge, a mark and a bold title, then plain text."""
    return (
        f'<div style="border-left: 4px solid {colour}; padding: 4px 12px; margin: 4px 0;">'
        f'<b style="color: {colour};">{html.escape(mark)} {html.escape(title)}</b> '
        f"{html.escape(text)}</div>"
    )
