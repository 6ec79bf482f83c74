"""Put this process into graph mode before any test module builds a network."""

import contextlib

import pytest
from tensorflow import keras

from tests.graph.graphs import own_graph
from utils import course

# If eager tests were collected first, tests/conftest.py ends the run with a clear sentence.
with contextlib.suppress(RuntimeError):
    course.start()


@pytest.fixture(autouse=True, scope="module")
def graph_of_the_module():
    """Networks of a module's fixtures share a graph; their numbers are not those of a test's."""
    with own_graph(seed=0):
        yield


@pytest.fixture(autouse=True)
def graph_of_the_test(request):
    """A test has a graph of its own, unless it was handed a network of its module.

    When this fixture runs, those of a wider scope are there already, and no others.
    """
    values = request.node.funcargs.values()
    given = [part for v in values for part in (v if isinstance(v, tuple) else [v])]
    if any(isinstance(part, keras.Model) for part in given):
        yield
    else:
        with own_graph():
            yield
