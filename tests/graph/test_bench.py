"""The benchmark measures what a lesson really takes, and finds its place in the README."""

import bench
import pytest

LESSON = """\
# %%
import time

block = bytearray(300_000_000)
time.sleep(1)
"""


def test_bench_measures_time_and_memory(tmp_path, capsys):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "01_hungry.py").write_text(LESSON)
    readme = tmp_path / "README.md"
    readme.write_text("# Course\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nMore.\n")
    assert bench.main([], tmp_path) == 0
    table = capsys.readouterr().out
    row = next(line for line in table.splitlines() if "01_hungry" in line)
    seconds, megabytes = (float(cell) for cell in row.split("|")[2:4])
    assert 1 <= seconds < 60
    assert 300 < megabytes < 600
    page = f"# Course\n\n<!-- bench -->\n{table}<!-- /bench -->\n\nMore.\n"
    assert readme.read_text() == page

    (tmp_path / "lessons" / "02_broken.py").write_text("# %%\n1 / 0\n")
    assert bench.main(["02"], tmp_path) == 1
    assert "02_broken fails in code cell 1" in capsys.readouterr().err
    assert readme.read_text() == page


@pytest.mark.parametrize("page", ["", "<!-- /bench --> <!-- bench -->", "<!-- bench -->" * 2])
def test_a_readme_without_its_markers_is_an_error(tmp_path, capsys, page):
    (tmp_path / "README.md").write_text(page)
    assert bench.main([], tmp_path) == 1
    assert "needs one line <!-- bench -->" in capsys.readouterr().err
    assert (tmp_path / "README.md").read_text() == page
