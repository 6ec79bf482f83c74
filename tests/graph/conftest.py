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
    """Networks of a module's fixtures share a graph."""
    with own_graph():
        yield


@pytest.fixture(autouse=True)
def graph_of_the_test(request):
    """A test has a graph of its own, unless it was handed a network of its module.

    What is there already when this fixture runs are the fixtures of a wider scope.
    """
    if any(isinstance(given, keras.Model) for given in request.node.funcargs.values()):
        yield
    else:
        with own_graph():
            yield
