"""The file tree in a package's README, beside the folder that it describes.

    python -m tests.docs.trees    bring every tree up to date: new files get the first line of their docstring, files
                                  that are gone leave, everything else stays as it was written

A tree is a fenced block whose first line is the folder. Each further line has the name of a file or (with a slash at
its end) of a folder, two spaces deeper than the folder it lies in, and after two spaces what it holds. Files that are
all of one kind may be one line, `*.jsonl`. `__init__.py` and the README that holds the tree are not listed; of `tests/`
neither are the tests, which mirror the source.
"""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

from tests.docs.markdown import ROOT, blocks, files, text

#: Folder -> the file that holds its tree. The README of `space/` is published with every Space, and a tree there would
#: change what is deployed whenever a line of it changes.
TREES = {
    "pipelines": "pipelines/README.md",
    "dataset_card": "dataset_card/README.md",
    "model_card": "model_card/README.md",
    "scripts": "scripts/README.md",
    "space": "scripts/README.md",
    "tests": "tests/README.md",
}
#: Where the descriptions begin, unless a name is longer.
COLUMN = 28


def listed(folder: str) -> dict[str, str]:
    """Path -> description, of each line of a folder's tree, in its order. Folders end with a slash.

    Raises:
        ValueError: no such tree, a wrong indentation, or a path twice.
    """
    tree = block_of(folder).splitlines()
    parents, found = [tree[0]], {}
    for line in tree[1:]:
        indent, name, description = re.findall(r"^( *)(\S*) *(.*)$", line)[0]
        depth, odd = divmod(len(indent), 2)
        path = "".join([*parents[:depth], name])
        if odd or not 1 <= depth <= len(parents) or path in found:
            raise ValueError(f"{TREES[folder]}: {line!r} has a wrong indentation or stands there twice")
        if name.endswith("/"):
            parents[depth:] = [name]
        else:
            del parents[depth:]
        found[path] = description
    return found


def block_of(folder: str) -> str:
    """The fenced block that is the tree of a folder."""
    for block in blocks(TREES[folder]):
        if block.startswith(f"{folder}/\n"):
            return block
    raise ValueError(f"{TREES[folder]} has no fenced block that begins with {folder}/")


def present(folder: str) -> set[str]:
    """Paths of the files and folders that a tree is to list, files of a kind (`*.jsonl`) not yet as one."""
    found: set[str] = set()
    for path in map(PurePosixPath, files(folder)):
        if path.name == "__init__.py" or str(path) in (TREES[folder], f"{folder}/README.md"):
            continue
        if folder == "tests" and path.name.startswith("test_"):
            continue
        found.add(str(path))
        found.update(f"{parent}/" for parent in path.parents if len(parent.parts) > 1)
    return found


def compared(folder: str) -> tuple[dict[str, str], set[str]]:
    """The lines of a folder's tree, and the paths that are there: those that a line with a `*` covers as that line."""
    told = listed(folder)
    kinds = [path for path in told if "*" in path]
    there = {next((kind for kind in kinds if PurePosixPath(path).match(kind)), path) for path in present(folder)}
    return told, there


def description_of(path: str) -> str:
    """The first line of a module's or package's docstring, or ""."""
    module = ROOT / path / "__init__.py" if path.endswith("/") else ROOT / path
    if module.suffix != ".py" or not module.is_file():
        return ""
    return (ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def line_of(path: str, description: str) -> str:
    """The line of the tree for one path."""
    folder = path.endswith("/")
    name = PurePosixPath(path).name + "/" * folder
    start = "  " * (len(PurePosixPath(path).parts) - 1) + name
    return f"{start.ljust(COLUMN - 2)}  {description}".rstrip()


def differences(folder: str) -> str:
    """The lines to add to a folder's tree and to remove from it; "" where they agree."""
    told, there = compared(folder)
    add = [f"  add in {PurePosixPath(p).parent}/:\n{line_of(p, description_of(p))}" for p in sorted(there - set(told))]
    remove = [f"  remove from {PurePosixPath(p).parent}/:\n{line_of(p, told[p])}" for p in told if p not in there]
    return "\n".join([*add, *remove])


def updated(folder: str) -> str:
    """A folder's tree as it should be: known lines in their order, new ones after those of the same folder."""
    told, there = compared(folder)
    known = {path: place for place, path in enumerate(told)}

    def lines(parent: str) -> list[str]:
        inside = [path for path in there if f"{PurePosixPath(path).parent}/" == parent]
        inside.sort(key=lambda path: (known.get(path, len(known)), path))
        found = []
        for path in inside:
            found.append(line_of(path, told.get(path) or description_of(path)))
            if path.endswith("/"):
                found += lines(path)
        return found

    return "\n".join([f"{folder}/", *lines(f"{folder}/")]) + "\n"


def main() -> None:
    """Rewrite the trees of all folders."""
    for folder, document in TREES.items():
        (ROOT / document).write_text(text(document).replace(block_of(folder), updated(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
