"""`make rooms`: the picture of the package's rooms in CONTRIBUTING.md, made from the code."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "streammetrics"
PAGE = ROOT / "CONTRIBUTING.md"
_MARKED = re.compile(r"(?s)(?<=<!-- rooms: made by `make rooms` -->\n).*?(?=<!-- /rooms -->)")


@cache
def layers() -> list[list[str]]:
    """The layers of the import contract, upper ones first; each has one room, or some that do not know each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = project["tool"]["importlinter"]["contracts"]
    return [layer.split(" | ") for layer in contract["layers"]]


def rooms() -> list[str]:
    """All rooms, upper ones first."""
    return [room for layer in layers() for room in layer]


def files(room: str) -> list[Path]:
    """The modules of a room."""
    path = PACKAGE / f"{room}.py"
    return [path] if path.exists() else sorted((PACKAGE / room).rglob("*.py"))


def purpose(room: str) -> str:
    """The first line of its docstring, without what explains it."""
    words = ast.get_docstring(ast.parse(files(room)[0].read_text(encoding="utf-8"))) or ""
    return words.splitlines()[0] if words else ""


@cache
def imports(room: str) -> list[str]:
    """The rooms that a room imports from, upper ones first."""
    found: set[str] = set()
    for path in files(room):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        names |= {
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "streammetrics"
            for alias in node.names
        }
        found |= {name.split(".")[1] for name in names if name.startswith("streammetrics.")}
    return [other for other in rooms() if other in found and other != room]


def picture() -> str:
    """A paragraph for each layer, upper ones first: its rooms, what each is for, and from which it imports."""
    width = max(map(len, rooms()))
    lines = []
    for layer in layers():
        for room in layer:
            below = ", ".join(imports(room)) or "nothing"
            lines += [f"{room:<{width}}  {purpose(room)}", f"{'':<{width}}  imports: {below}"]
        lines.append("")
    arrows = sum(len(imports(room)) for room in rooms())
    lines.append(f"{len(rooms())} rooms on {len(layers())} layers, {arrows} arrows, all downwards")
    return "\n".join(["```text", *lines, "```"]) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_MARKED.sub(lambda _: picture(), text), encoding="utf-8")
