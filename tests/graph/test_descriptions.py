"""The descriptions of the environment agree: pyproject.toml, requirements.txt, environment.yml.

Also: make's targets, the scripts, JupyterLab's settings, and (slow, needs the network) that the
pins exist on every platform.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import bootstrap
import pytest
import runner
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

from utils import environment

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_knows_its_targets():
    targets = "lab test test-slow setup lessons data weights pictures bench clean".split()
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True).stdout == shown
    for target in targets:
        assert f"make {target} " in shown
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("name", ["postBuild", ".ci/run"])
def test_scripts_can_run(name):
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / name], check=True)


def pins():
    """Every pinned requirement of requirements.txt, with the lines that belong to it."""
    blocks = re.findall(r"^(?=[A-Za-z])(?:.*\n(?:[ \t].*\n)*)", REQUIREMENTS, re.MULTILINE)
    return [(Requirement(block.split("\\")[0].strip()), block) for block in blocks]


def test_every_package_is_pinned_and_has_hashes():
    found = pins()
    assert len(found) > 100
    for requirement, block in found:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert "--hash=sha256:" in block, requirement
    uv = (ROOT / "tools" / "uv-requirements.txt").read_text()
    assert re.fullmatch(r"uv==[\d.]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", uv)


@pytest.mark.parametrize("name", ["requirements.txt", "tools/uv-requirements.txt"])
def test_no_address_stands_in_the_requirements(name):
    assert not re.search(r"://|--(extra-)?index|--find-links|^-i ", (ROOT / name).read_text())


def test_the_pins_are_what_the_project_asks_for():
    for line in PROJECT["project"]["dependencies"]:
        wanted = Requirement(line)
        same = [pin for pin, _ in pins() if pin.name.lower() == wanted.name.lower()]
        if wanted.marker:
            here = default_environment()
            same = [
                p
                for p in same
                if not p.marker or p.marker.evaluate() == wanted.marker.evaluate(here)
            ]
        assert same, f"{line} is not in requirements.txt"
        for pin in same:
            assert wanted.specifier.contains(str(pin.specifier)[2:]), f"{line}: pinned {pin}"


def test_three_descriptions_of_one_environment():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = conda["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    assert packages == {"pip": ["-r requirements.txt"]}
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.12"
    assert "--python-version 3.11" in REQUIREMENTS.splitlines()[1]
    assert '"3.11"' in (ROOT / "tools" / "bootstrap.py").read_text()
    line = "pip install --no-deps --no-build-isolation ."
    assert line in (ROOT / "postBuild").read_text()
    assert line in (ROOT / "README.md").read_text()
    exact = {pin.name: str(pin.specifier)[2:] for pin, _ in pins()}
    assert exact["tensorflow"] == environment.TENSORFLOW
    assert exact["innvestigate"] == environment.INNVESTIGATE


def test_jupyterlab_asks_nobody_and_moves_panels_in_the_main_thread():
    """The settings' names exist in this JupyterLab; updates, news and subshells are off."""
    from jupyterlab import labapp
    from jupyterlab.handlers.announcements import NeverCheckForUpdate
    from traitlets.config import Config

    folder = ROOT / "jupyter_config"
    settings = json.loads((folder / "jupyter_lab_config.json").read_text())
    traits = labapp.LabApp.class_traits(config=True)
    assert set(settings["LabApp"]) <= set(traits)
    app = labapp.LabApp(config=Config(settings))
    assert app.check_for_updates_class is NeverCheckForUpdate
    assert app.news_url is None

    overrides = json.loads((folder / "labconfig" / "default_setting_overrides.json").read_text())
    schemas = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"
    for plugin, values in overrides.items():
        package, name = plugin.split(":")
        schema = json.loads((schemas / package / f"{name}.json").read_text())
        for key, value in values.items():
            assert key in schema["properties"]
            assert value in (False, "false", "disabled")


@pytest.mark.parametrize("name", ["README.md", "LICENSE-CONTENT.md", "REFERENCES.md"])
def test_links_within_the_course_lead_somewhere(name):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / link).exists()] == []
    assert local or name == "REFERENCES.md"


def resolve(platform, folder):
    """Whether uv finds a wheel for every pin on another platform; what it said.

    Only the newest macOS but one or two is asked for: TensorFlow's neighbours drop the older ones.
    """
    uv = bootstrap.find_uv()
    command = [uv, "pip", "install", "--dry-run", "--require-hashes", "-r", "requirements.txt"]
    command += ["--python-platform", platform, "--python-version", "3.11"]
    command += ["--python", sys.executable, "--target", folder]
    # future, a need of iNNvestigate, has no wheel anywhere; it is pure Python.
    command += ["--only-binary", ":all:", "--no-binary", "future"]
    variables = {**runner.clean_environment(), "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "platform",
    [
        "x86_64-manylinux_2_28",
        "aarch64-manylinux_2_28",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ],
)
def test_the_pins_exist_on_every_platform(platform, tmp_path):
    found, said = resolve(platform, tmp_path)
    assert found, said


@pytest.mark.slow
def test_windows_on_arm_is_still_out_of_reach(tmp_path):
    """The README says so. When this fails, rejoice and change the README."""
    found, said = resolve("aarch64-pc-windows-msvc", tmp_path)
    assert not found and "no usable wheels" in said, said
