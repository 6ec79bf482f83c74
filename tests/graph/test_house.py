"""How the modules of `utils` lie: few rooms at the top, and no import upwards or in a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {path.stem for path in (ROOT / "utils").iterdir() if path.name[0] not in "._"}


def imported(file):
    """The rooms at the top of `utils` that a file imports, anywhere in its code."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if "utils." in name.name}
        elif isinstance(node, ast.ImportFrom) and node.module == "utils":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils."):
            found.add(node.module.split(".")[1])
    return found


def needs():
    """By room, the other rooms that it imports."""
    found = {}
    for room in ROOMS:
        place = ROOT / "utils" / room
        files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
        found[room] = set().union(*map(imported, files)) - {room}
    return found


def test_at_most_20_rooms_on_five_floors_and_no_circle():
    assert len(ROOMS) <= 20
    graph, floors = needs(), {}
    for room in TopologicalSorter(graph).static_order():  # raises where there is a circle
        floors[room] = 1 + max((floors[other] for other in graph[room]), default=0)
    assert max(floors.values()) <= 5, floors


def test_what_stands_at_the_top_is_needed_by_lessons_or_by_several_rooms():
    graph = needs()
    by_lessons = set().union(*map(imported, ROOT.glob("lessons/[0-9]*.py")))
    for room in ROOMS - by_lessons:
        users = [other for other, rooms in graph.items() if room in rooms]
        # Two lessons quote the readers in their text.
        assert len(users) > 1 or room == "readers", (room, users)
