"""What the lessons import. A lesson has a module in `check`, and one in `panels` if it has one.

Start with ``utils.course.start``, the first line of every lesson.
"""

import contextlib
import os
import sys
from importlib.machinery import PathFinder

# TensorFlow reads these once, when it is imported, and any module here may import it first.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Keras 2, from the package tf_keras: iNNvestigate needs it


class _QuietTensorFlow:
    """Imports TensorFlow, whoever asks for it first, without the lines it prints meanwhile.

    They come from C++ before any log level counts, so that only the file descriptor can be turned
    away. What goes wrong in an import is still raised.
    """

    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name == "tensorflow" else None
        if spec and spec.loader:
            spec.loader.exec_module = _quietly(spec.loader.exec_module)
        return spec


def _quietly(execute):
    def run(module):
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # without a standard error nothing is printed either
                stderr = os.dup(2)
                stack.callback(os.close, stderr)
                stack.callback(os.dup2, stderr, 2)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                stack.callback(os.close, nowhere)
                os.dup2(nowhere, 2)
            execute(module)

    return run


sys.meta_path.insert(0, _QuietTensorFlow)
