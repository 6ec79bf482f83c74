"""The built site, served to a browser."""

import functools
import http.server
import os
import subprocess
import threading
from pathlib import Path

import bootstrap
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the folder of the site, built now in a place of its own, and what its build said."""
    if not (ROOT / ".site-venv" / "site-stamp").exists():
        pytest.skip("The site's packages are not here: run make site once, with a network.")
    folder = tmp_path_factory.mktemp("site")
    command = [bootstrap.set_up_site(), "tools/make_site.py", folder]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not answer.returncode, answer.stdout + answer.stderr
    return folder / "html", answer.stdout + answer.stderr


@pytest.fixture(scope="session")
def address(built):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=os.fspath(built[0]))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def page(browser, address):
    """A page that notes what it asks of other servers, and what it does not get."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.foreign, page.missing = [], []

    def route(found):
        if found.request.url.startswith((address, "data:")):
            found.continue_()
        else:
            page.foreign.append(found.request.url)
            found.abort()

    page.route("**/*", route)
    page.on("response", lambda r: page.missing.append(r.url) if r.status >= 400 else None)
    yield page
    page.close()
