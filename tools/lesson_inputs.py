"""What a solved lesson was made from, as seen while it ran: code of `utils`, data, packages.

What only a worker's process opens is not seen, and neither is a file that no Python code opens.
"""

import ast
import hashlib
import json
import re
from importlib import metadata


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
        return digest(repr(_shape(ast.parse(text))))
    except SyntaxError:
        return digest(text)


def _shape(node):
    """A syntax tree as nested lists, without what is empty: Pythons differ in what they leave out.

    `ast.dump` and `ast.unparse` say other things of the same code in Python 3.11, 3.12 and 3.13.
    """
    if isinstance(node, list):
        return [_shape(item) for item in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        if ast.get_docstring(node, clean=False) is not None:
            fields["body"] = node.body[1:]
    filled = {name: value for name, value in fields.items() if value is not None and value != []}
    return [type(node).__name__, *((name, _shape(value)) for name, value in filled.items())]


def pins(root):
    """Return the versions of {distribution: version} that requirements.txt pins."""
    found = {}
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", text):
        found.setdefault(_plain(name), set()).add(version)  # one for each platform or Python
    return {name: " ".join(sorted(versions)) for name, versions in found.items()}


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def made_from(root, folder, seen):
    """Return {name: its hash or version} of what was used, if it belongs to the course.

    Parameters
    ----------
    root, folder : Path
        The course's folder, and the one the lesson ran in.
    seen : str
        What `SEEN` said in the kernel: files, and the names of imported packages.
    """
    files, tops = json.loads(seen)
    packages, used, root = metadata.packages_distributions(), set(), root.resolve()
    for top in tops:
        used |= {_plain(name) for name in packages.get(top, ())}
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
    return (
        code(path.read_text(encoding="utf-8"))
        if path.suffix == ".py"
        else digest(path.read_bytes())
    )
