"""Put this process into graph mode before any test module builds a network.

TensorFlow comes with the first module of tests, and not with this file: where pytest hands the
tests out to two processes, it reads this file too, but no module of tests.
"""

import contextlib

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule():
    from utils import course

    # If eager tests were collected first, tests/conftest.py ends the run with a clear sentence.
    with contextlib.suppress(RuntimeError):
        course.start()


@pytest.fixture(autouse=True, scope="module")
def graph_of_the_module():
    """Networks of a module's fixtures share a graph; their numbers are not those of a test's."""
    from tests.graph.graphs import own_graph

    with own_graph(seed=0):
        yield


@pytest.fixture(autouse=True)
def graph_of_the_test(request):
    """A test has a graph of its own, unless it was handed a network of its module.

    When this fixture runs, those of a wider scope are there already, and no others.
    """
    from tensorflow import keras

    from tests.graph.graphs import own_graph

    values = request.node.funcargs.values()
    given = [part for v in values for part in (v if isinstance(v, tuple) else [v])]
    if any(isinstance(part, keras.Model) for part in given):
        yield
    else:
        with own_graph():
            yield
