"""What a solved lesson is made from: its source, modules of `utils`, data, weights, requirements.

The modules are found by their import statements, the data and weights by the texts quoted in the
lesson and in those modules. An import or a file whose name is put together at run time from pieces
shorter than three letters would be missed.
"""

import ast
import hashlib
from pathlib import Path


class LessonError(Exception):
    """A lesson that cannot be built; the message is for the person at the keyboard."""


def digest(*parts):
    """Hash strings and bytes, each kept apart from the next."""
    total = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def made_from(lesson):
    """Hash everything that decides what the solved edition of a lesson looks like."""
    root = lesson.parents[1]
    code = {lesson} | modules(lesson)
    files = code | named_data(root, code) | {root / "requirements.txt"}
    parts = []
    for file in sorted(path for path in files if path.is_file()):
        content = file.read_bytes()
        if file.suffix in (".py", ".txt"):
            content = content.replace(b"\r\n", b"\n")  # git on Windows may have changed these
        parts += [file.relative_to(root).as_posix(), content]
    return digest(*parts)


def modules(lesson):
    """Return the files of `utils` that a lesson imports, directly or through one another."""
    root = lesson.parents[1]
    found, todo = set(), {lesson}
    while todo:
        file = todo.pop()
        for name in imported(file, root):
            parts = name.split(".")
            for n in range(1, len(parts) + 1):
                stem = root.joinpath(*parts[:n])
                for module in (stem.with_suffix(".py"), stem / "__init__.py"):
                    if parts[0] == "utils" and module.is_file() and module not in found:
                        found.add(module)
                        todo.add(module)
    return found


def imported(file, root):
    """Return the dotted names that a file may import: modules, or names inside modules."""
    names = set()
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = file.relative_to(root).parts[: -node.level] if node.level else ()
            start = ".".join([*package, *filter(None, [node.module])])
            names |= {f"{start}.{alias.name}" for alias in node.names}
    return names


def named_data(root, code):
    """Return the files of data/ whose names begin with a text that is quoted in the code.

    That finds ``open_world("clever_hans")`` and ``load_weights(f"clever_hans_{kind}")``. It would
    rather take a file too many than one too few.
    """
    texts = {
        node.value
        for file in code
        for node in ast.walk(parse(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = tuple(name for text in texts if len(name := text.rsplit("/")[-1]) > 2)
    data = (path for path in (root / "data").rglob("*") if path.suffix in (".nc", ".npz", ".npy"))
    return {path for path in data if path.name.startswith(names)}


def parse(file):
    """Return a Python file's syntax tree."""
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        where = f"{Path(file).name}, line {error.lineno}"
        raise LessonError(f"{where} is not valid Python: {error.msg}.") from None
