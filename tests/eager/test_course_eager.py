"""The first line of a lesson, in eager mode."""

import pytest
import tensorflow as tf

from utils import course


def test_start_keeps_eager_mode(capsys):
    course.start(eager=True)
    said = capsys.readouterr().out
    assert tf.executing_eagerly()
    assert said.endswith("eager mode, seed 0\n") and "iNNvestigate" not in said


def test_the_mode_is_chosen_once():
    with pytest.raises(
        RuntimeError, match="in eager mode and cannot change to graph mode: restart"
    ):
        course.start()
    assert tf.executing_eagerly()
