"""One source for all Pythons of the course: what matters most runs on the others as well."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import bootstrap
import pytest
from runner import clean_environment, run

ROOT = Path(__file__).resolve().parents[2]
TESTS = [
    f"tests/graph/test_{name}.py"
    for name in ("archive", "explain", "lrp", "receptive_field", "weights")
]
OTHERS = [minor for minor in (11, 12, 13) if minor != sys.version_info.minor]


@pytest.mark.slow
@pytest.mark.parametrize("minor", OTHERS)
def test_the_numbers_are_right_on_another_python(minor):
    uv = bootstrap.find_uv()
    found = bootstrap.find_python(uv, (minor,))
    if not found:
        pytest.skip(f"There is no Python 3.{minor} on this machine.")
    with TemporaryDirectory() as folder:  # 2 GB, which pytest's own would keep
        venv = Path(folder) / "venv"
        python = venv / bootstrap.PYTHON.relative_to(bootstrap.VENV)
        run([uv, "venv", "--python", found[1], venv], f"Python 3.{minor}")
        install = [uv, "pip", "install", "--python", python, "--no-deps", "--require-hashes"]
        run([*install, "--only-binary", ":all:", "-r", "requirements.txt"], "The packages")
        command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        tests = subprocess.run(
            command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True
        )
    assert tests.returncode == 0, tests.stdout[-5000:] + tests.stderr[-1000:]
