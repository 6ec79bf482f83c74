"""The benchmark measures what a lesson really takes, and finds its place in BENCHMARKS.md."""

import re

import bench
import bench_archive
import bench_lrp
import bench_methods
import bench_one_pixel
import numpy as np
import pandas as pd
import pytest

from utils.explain import analyzers, explain

LESSON = """\
# %%
import time

block = bytearray(300_000_000)
time.sleep(1)
"""


def test_bench_measures_time_and_memory(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench_lrp, "table", lambda: "| cost of one LRP map |")
    monkeypatch.setattr(bench_methods, "table", lambda: "| cost of one heat map |")
    monkeypatch.setattr(bench_one_pixel, "table", lambda: "| one pixel |")
    monkeypatch.setattr(bench_archive, "table", lambda: "| archive |")
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "01_hungry.py").write_text(LESSON)
    bench_page = tmp_path / "BENCHMARKS.md"
    bench_page.write_text("# Course\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nMore.\n")
    assert bench.main([], tmp_path) == 0
    table = capsys.readouterr().out
    row = next(line for line in table.splitlines() if "01_hungry" in line)
    seconds, megabytes = (float(cell) for cell in row.split("|")[2:4])
    assert 1 <= seconds < 60
    assert 300 < megabytes < 600
    tables = "| cost of one LRP map |", "| cost of one heat map |", "| one pixel |", "| archive |"
    assert "\n\n".join(["", *tables, ""]) in table
    page = f"# Course\n\n<!-- bench -->\n{table}<!-- /bench -->\n\nMore.\n"
    assert bench_page.read_text() == page

    (tmp_path / "lessons" / "02_broken.py").write_text("# %%\n1 / 0\n")
    assert bench.main(["02"], tmp_path) == 1
    assert "02_broken fails in code cell 1" in capsys.readouterr().err
    assert bench.main(["lrp"], tmp_path) == 0
    assert capsys.readouterr().out == "| cost of one LRP map |\n"
    assert bench_page.read_text() == page


@pytest.mark.parametrize("page", ["", "<!-- /bench --> <!-- bench -->", "<!-- bench -->" * 2])
def test_a_bench_page_without_its_markers_is_an_error(tmp_path, capsys, page):
    (tmp_path / "BENCHMARKS.md").write_text(page)
    assert bench.main([], tmp_path) == 1
    assert "needs one line <!-- bench -->" in capsys.readouterr().err
    assert (tmp_path / "BENCHMARKS.md").read_text() == page


def test_the_table_of_lrp_holds_the_measurement_against_the_goals(monkeypatch):
    set_up = pd.Series([0.1, 0.1, 1, 0.3, 2, 0.3, 5], bench_lrp.METHODS)
    # All take twice as long in the second round: the ratio is each round's.
    rounds = pd.DataFrame([[0.05, 0.06, 0.07, 0.075, 0.1, 0.15, 0.2]], columns=bench_lrp.METHODS)
    seconds = {setting: pd.concat([rounds, 2 * rounds]) for setting in bench_lrp.ROUNDS}
    monkeypatch.setattr(bench_lrp, "timings", lambda: (set_up, seconds))
    monkeypatch.setattr(bench_lrp, "peak_memory", lambda method: 1234.5)
    table, note, goals = bench_lrp.table().split("\n\n")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert [row[0] for row in rows] == ["cost of one LRP map", "---", *bench_lrp.METHODS]
    assert {len(row) for row in rows} == {8}
    assert rows[0][2:6:3] == ["64 x 64, batch 1, ms per map", "256 x 256, batch 32, ms per map"]
    assert rows[5] == ["alpha 1 beta 0, ours", "0.30", "112", "3.5", "112", "3.5", "1.50", "1234"]
    assert "random weights" in note and "layers=False" in note
    assert re.findall(r"([\d.]+) \(at most ([\d.]+): (\w+)\)", goals) == [
        ("1.20", "1.6", "met"),
        ("1.50", "1.5", "met"),
        ("3.00", "2.3", "missed"),
        ("0.10", "0.1", "met"),
        ("0.15", "0.1", "missed"),
        ("0.06", "0.1", "met"),
    ]


def test_the_methods_take_turns(monkeypatch):
    calls = []
    monkeypatch.setattr(bench_lrp, "METHODS", ["one", "other"])
    monkeypatch.setattr(bench_lrp, "ROUNDS", {(8, 1): 2, (8, 3): 1})
    monkeypatch.setattr(bench_lrp, "LARGE", 8)
    monkeypatch.setattr(
        bench_lrp, "mapper", lambda method, model: lambda x: calls.append((method, len(x)))
    )
    set_up, seconds = bench_lrp.timings()
    once = [("one", 1), ("other", 1)]  # a first time, then two rounds
    assert calls == [*once * 3, ("one", 3), ("other", 3)]
    assert list(set_up.index) == ["one", "other"]
    assert {setting: laps.shape for setting, laps in seconds.items()} == {
        (8, 1): (2, 2),
        (8, 3): (1, 2),
    }


@pytest.mark.slow
def test_what_is_measured_are_maps_of_the_same_pixel():
    model, x = bench_lrp.network(8), bench_lrp.samples(8, 2)
    assert all(weights.any() for weights in model.get_weights())
    gradient, ours, innvestigates = (
        bench_lrp.mapper(method, model)(x) for method in bench_lrp.METHODS[:3]
    )
    np.testing.assert_allclose(gradient, explain(model, x, "gradient", (4, 4)), atol=1e-6)
    np.testing.assert_allclose(ours, innvestigates, rtol=1e-3, atol=1e-5)


def test_a_process_knows_its_peak_memory():
    assert 100 < bench_lrp._own_peak() < 100_000


@pytest.mark.slow
def test_each_analyzer_is_made_once_for_the_table_of_methods(monkeypatch):
    names = ["gradient", "smoothgrad", "deep_taylor.bounded"]
    monkeypatch.setattr(bench_methods, "methods", lambda: pd.DataFrame({"method": names}))
    made, make = [], analyzers.Analyzer
    monkeypatch.setattr(analyzers, "Analyzer", lambda *a: made.append(a[1]) or make(*a))
    table = bench_methods.table()
    assert all(f"\n| {name} |" in table for name in names)
    assert made == ["gradient", "deep_taylor.bounded"]


@pytest.mark.slow
def test_the_gain_of_one_pixel_is_measured(monkeypatch):
    monkeypatch.setattr(bench_one_pixel, "SIZES", (64,))
    monkeypatch.setattr(bench_one_pixel, "ROUNDS", 2)
    table, _, goal = bench_one_pixel.table().split("\n\n")
    assert [row.split("|")[1] for row in table.splitlines()[2:]] == [
        " alpha 1 beta 0, 64 x 64 ",
        " alpha 2 beta 1, 64 x 64 ",
    ]
    assert goal.startswith("Goal: at least 10 times at 64 x 64: ")


@pytest.mark.slow
def test_the_speed_of_an_archive_is_measured(monkeypatch):
    cases = {bench_archive.LARGE: (lambda: bench_lrp.network(8), (8, 8, 8, 4), 2)}
    monkeypatch.setattr(bench_archive, "CASES", cases)
    monkeypatch.setattr(bench_archive, "ROUNDS", 1)
    table, note, goals = bench_archive.table().split("\n\n")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert {len(row) for row in rows} == {9}
    for row, part in zip(rows[2:], bench_archive.PARTS, strict=True):
        assert row[0] == f"{bench_archive.LARGE}, {part}"
        assert all(float(cell) > 0 for cell in row[1:])
        assert f"{part}, 1 worker / half the plain call {row[4]} (at least 0.9: " in goals.replace(
            "\n", " "
        )
    assert "8 maps at 256 x 256 in chunks of 2" in note.replace("\n", " ")
