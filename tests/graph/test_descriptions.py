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
    newest, oldest = max(bootstrap.MINORS), min(bootstrap.MINORS)
    assert conda["dependencies"] == [f"python=3.{newest}", "pip"]
    assert PROJECT["project"]["requires-python"] == f">=3.{oldest},<3.{newest + 1}"
    assert f"--python-version 3.{oldest}" in REQUIREMENTS.splitlines()[1]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{oldest}"
    exact = {pin.name: str(pin.specifier)[2:] for pin, _ in pins()}
    tensorflow = exact["tensorflow"].rpartition(".")[0]
    assert tensorflow == exact["tf-keras"].rpartition(".")[0] == environment.TENSORFLOW[-1]
    assert f"tensorflow=={exact['tensorflow']}" in PROJECT["tool"]["uv"]["override-dependencies"]
    assert exact["innvestigate"] == environment.INNVESTIGATE


def test_pip_and_uv_install_the_same_list_the_same_way():
    """Nothing is resolved, everything is a wheel and checked by its hash."""
    post_build, page = ((ROOT / name).read_text() for name in ("postBuild", "INSTALL.md"))
    packages, utils = re.findall(r"^pip install .*", post_build, re.MULTILINE)
    for option in ("--no-deps", "--require-hashes", "--only-binary :all:", "-r requirements.txt"):
        assert option in packages
    assert "--ignore-requires-python" in packages  # pip's own; uv does not look
    assert utils == "pip install --no-deps --no-build-isolation ."
    assert packages in page and utils in page


def test_jupyterlab_asks_nobody():
    """The settings' names exist in this JupyterLab, and they switch update checks and news off."""
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
            assert value in (False, "false")


@pytest.mark.parametrize("name", [path.name for path in sorted(ROOT.glob("*.md"))])
def test_links_within_the_course_lead_somewhere(name):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / link).exists()] == []
    assert local or name != "README.md"


def resolve(platform, minor, folder):
    """Whether uv finds a wheel for every pin on another platform; what it said.

    What a package needs there and the list does not name is missed as well. Only the newest macOS
    but one or two is asked for: TensorFlow's neighbours drop the older ones.
    """
    uv = bootstrap.find_uv()
    command = [uv, "pip", "install", "--dry-run", "--require-hashes", "-r", "requirements.txt"]
    command += ["--python-platform", platform, "--python-version", f"3.{minor}"]
    command += ["--python", sys.executable, "--target", folder, "--only-binary", ":all:"]
    variables = {**runner.clean_environment(), "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("minor", bootstrap.MINORS)
@pytest.mark.parametrize(
    "platform",
    [
        "x86_64-manylinux_2_28",
        "aarch64-manylinux_2_28",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ],
)
def test_the_pins_exist_on_every_platform(platform, minor, tmp_path):
    found, said = resolve(platform, minor, tmp_path)
    assert found, said


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["aarch64-pc-windows-msvc", "x86_64-apple-darwin"])
def test_some_machines_are_out_of_reach(platform, tmp_path):
    """INSTALL.md says so. When this fails, rejoice and change it."""
    found, said = resolve(platform, max(bootstrap.MINORS), tmp_path)
    assert not found and "no usable wheels" in said, said
