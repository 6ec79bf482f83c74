#!/usr/bin/env python
"""Measure what the course costs and write the tables into BENCHMARKS.md.

python tools/bench.py          everything
python tools/bench.py 00 01    these lessons only, printed but not written
python tools/bench.py lrp      the cost of an LRP map only, printed but not written
python tools/bench.py methods  the cost of iNNvestigate's heat maps only, likewise
python tools/bench.py pixel    the gain of one pixel's map inside its receptive box, likewise
python tools/bench.py archive  the heat maps that one and two workers make in a second, likewise
"""

import os
import platform
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

import bench_archive
import bench_lrp
import bench_methods
import bench_one_pixel
import build_lessons
import psutil

ROOT = Path(__file__).resolve().parents[1]
TABLES = {
    "lrp": bench_lrp,
    "methods": bench_methods,
    "pixel": bench_one_pixel,
    "archive": bench_archive,
}
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


class PeakMemory:
    """Watch the memory of this process's children; `mb` is the largest sum seen so far.

    On Linux, pages that children share are counted once; elsewhere once for each.
    """

    def __enter__(self):
        self.mb, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.5):  # looking costs time, too
            total = 0
            for child in psutil.Process().children(recursive=True):
                try:
                    memory = child.memory_full_info()
                    total += getattr(memory, "pss", memory.rss)
                except psutil.NoSuchProcess:
                    continue
            self.mb = max(self.mb, total / 1e6)


def lesson_table(chosen):
    """Time and peak memory of solved lessons, each from top to bottom in a fresh kernel."""
    lines = ["| lesson | seconds | peak memory, MB |", "|---|---|---|"]
    for lesson in chosen:
        notebook = build_lessons.solved(lesson)
        begin = time.perf_counter()
        with PeakMemory() as memory:
            build_lessons.execute(notebook, lesson.parent, lesson.parents[1])
        seconds = time.perf_counter() - begin
        lines.append(f"| {lesson.stem} | {seconds:.0f} | {memory.mb:.0f} |")
    return "\n".join(lines)


def machine():
    """One line on the machine."""
    gb = psutil.virtual_memory().total / 1e9
    cores = os.cpu_count()
    made = f"{platform.system()} {platform.machine()}, {cores} cores{processor()}, {gb:.0f} GB"
    return f"Measured on {made}, with TensorFlow {version('tensorflow')}."


def processor():
    """Its name and number as Linux tells them, for what a ratio is depends on it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    told = {key.strip(): value.strip() for key, value in told.items()}
    if "model name" not in told:
        return ""
    return f" of an {told['model name']} (model {told.get('model', 'unknown')})"


def insert(page, text):
    """Return a page with the text between its two markers."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"BENCHMARKS.md needs one line {BEGIN} and below it one line {END}.")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"


def main(arguments, root=ROOT):
    """Measure, print, and write into BENCHMARKS.md; return the exit code."""
    chosen = sorted(root.glob("lessons/[0-9]*.py"))
    page = root / "BENCHMARKS.md"
    try:
        if arguments:
            names = tuple(name for name in arguments if name not in TABLES)
            if names:
                print(lesson_table([path for path in chosen if path.name.startswith(names)]))
            for name, module in TABLES.items():
                if name in arguments:
                    print(module.table())
            return 0
        insert(page.read_text(encoding="utf-8"), "")  # find out before measuring for minutes
        tables = [lesson_table(chosen), *(module.table() for module in TABLES.values())]
    except (ValueError, build_lessons.LessonError) as error:
        print(error, file=sys.stderr)
        return 1
    text = "\n\n".join([*tables, machine()])
    print(text)
    whole = insert(page.read_text(encoding="utf-8"), text)
    page.write_text(whole, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
