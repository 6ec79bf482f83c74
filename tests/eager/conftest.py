"""Put this process into eager mode before any test module builds a network.

TensorFlow comes with the first module of tests; see tests/graph/conftest.py.
"""

import contextlib

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule():
    from utils import course

    # If graph tests were collected first, tests/conftest.py ends the run with a clear sentence.
    with contextlib.suppress(RuntimeError):
        course.start(eager=True)
