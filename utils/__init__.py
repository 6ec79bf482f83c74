"""The small shared package of the course: what more than one lesson needs.

Start with ``utils.course.start``, the first line of every lesson.
"""

import os

# TensorFlow reads its log level once, when it is imported, and any module here may import it first.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
