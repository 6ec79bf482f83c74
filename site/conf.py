"""Sphinx's settings for the site; tools/make_site.py lays out the pages and calls it."""

import os
import re

from docutils import nodes
from latex2mathml.converter import convert

project = html_title = "Peering inside"
author = "the course's authors"
extensions = ["myst_nb", "sphinx_design"]
root_doc = "index"
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "html_image", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["site.css"]
html_js_files = ["panel.js"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
repository = os.environ.get("REPOSITORY", "")
html_theme_options = {
    "repository_url": f"https://github.com/{repository}" if repository else "",
    "use_repository_button": bool(repository),
    "use_issues_button": bool(repository),
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "show_toc_level": 1,
}


def mathml(latex, display):
    """Return a formula as MathML, which browsers draw without a script."""
    # Both mean the same here, and the converter knows only the second.
    latex = re.sub(r"\\(big|Big|bigg|Bigg)([lr]?)(?=[(\[|)\]])", "", latex)
    return convert(latex, display=display)


def inline(self, node):
    self.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(self, node):
    found = f'<div class="formula" tabindex="0">{mathml(node.astext(), "block")}</div>'
    self.body.append(found)
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
