"""On Google Colab: add the packages that it lacks and put the course where notebooks find it.

The first cell of a learner's notebook runs this there, after it has fetched the course. Colab's own
TensorFlow, tf_keras and NumPy stay as they are.
"""

import os
import subprocess
import sys

from google.colab import output

COURSE = os.environ.get("PEERING_INSIDE_COURSE", "/content/course")
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
# Both ask for older packages than they work with, so nothing of theirs is resolved.
ALONE = ["innvestigate==2.1.2", "tf-explain==0.3.1"]
MISSING = """
    cartopy>=0.23 distributed>=2024.8 eccodes>=2.41 ipyevents>=2.0.2 locket>=1.0 netcdf4>=1.6
    opencv-python-headless<5 psutil>=5.9 s3fs>=2025.1 zarr>=3
""".split()
READY = COURSE + ".ready"  # so that the cell does this once, also when the kernel was restarted

if not os.path.exists(READY):
    for packages in (["--no-deps", "--ignore-requires-python", *ALONE], MISSING):
        if subprocess.call([*PIP, *packages]):
            raise SystemExit("pip could not add the course's packages: run this cell once more.")
    open(READY, "w").close()
if COURSE not in sys.path:
    sys.path.insert(0, COURSE)
os.chdir(os.path.join(COURSE, "notebooks"))
# ipyevents hears the clicks on the pictures of lessons 00 and 07, and is none of Colab's widgets.
output.enable_custom_widget_manager()
print("The course is ready.")
