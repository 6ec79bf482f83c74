"""What a solved lesson was made from, as seen while it ran.

It is stale when one of these has changed in a way that can matter: the code of the modules of
`utils` that it imported, the data and weights it opened, the pinned versions of its packages. What
only a worker's process opens is not seen, and neither is a file that no Python code opens.
"""

import ast
import hashlib
import json
import re
from importlib import metadata

from packaging.utils import canonicalize_name


class LessonError(Exception):
    """A lesson that cannot be built; the message is for the person at the keyboard."""


# For the lesson's kernel: this runs in a module of its own, so that no cell sees a name of it.
WATCH = """
import json, sys

opened, before = set(), set(sys.modules)
sys.addaudithook(lambda event, what: opened.add(str(what[0])) if event == "open" else None)

def seen():
    new = {name: module for name, module in list(sys.modules.items()) if name not in before}
    files = [getattr(module, "__dict__", {}).get("__file__") or "" for module in new.values()]
    tops = {name.partition(".")[0] for name in new} - before
    return json.dumps([sorted(map(str, opened.union(files))), sorted(tops)])
"""
BEGIN = f"""
sys = __import__("sys")
exec({WATCH!r}, vars(sys.modules.setdefault("course_watch", type(sys)("course_watch"))))
del sys
"""
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
SEEN = "__import__('course_watch').seen()"  # an expression, whose value `made_from` takes


def digest(*parts):
    """Hash strings and bytes, each kept apart from the next."""
    total = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def code(text):
    """Hash Python code without comments, layout and docstrings, the same in every Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return digest(text)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    # Without what is empty: Python 3.11, 3.12 and 3.13 differ in whether they write it down.
    return digest(re.sub(r"\w+=\[\], |(, )?\w+=\[\]", "", ast.dump(tree)))


def pins(root):
    """Return the versions of {distribution: version} that requirements.txt pins."""
    found = {}
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", text):
        found.setdefault(canonicalize_name(name), set()).add(version)  # by platform or Python
    return {name: " ".join(sorted(versions)) for name, versions in found.items()}


def made_from(root, folder, seen):
    """Return {name: its hash or version} of what a lesson used when it ran in `folder`.

    `seen` is what `SEEN` said in the kernel: files, and the names of imported packages. What does
    not belong to the course and is not pinned is left out.
    """
    files, tops = json.loads(seen)
    packages, used, root = metadata.packages_distributions(), set(), root.resolve()
    for top in tops:
        used |= set(map(canonicalize_name, packages.get(top, ())))
    for file in files:
        path = (folder / file).resolve()
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        if name.startswith("data/") or name.startswith("utils/") and name.endswith(".py"):
            used.add(name)
    used.discard("data/checksums.txt")  # it changes with any of the files that it names
    pinned = pins(root)
    now = {name: _now(root, name, pinned) for name in sorted(used)}
    return {name: value for name, value in now.items() if value}


def changed(root, made):
    """Return the names in `made_from`'s answer that are not today what they were."""
    pinned = pins(root)
    return [name for name, was in made.items() if _now(root, name, pinned) != was]


def _now(root, name, pinned):
    """Hash of a file, or the pinned version of a distribution; None if it is gone or none."""
    if "/" not in name:
        return pinned.get(name)
    path = root / name
    if not path.is_file():
        return None
    whole = path.read_bytes()
    return code(whole.decode()) if path.suffix == ".py" else digest(whole)
