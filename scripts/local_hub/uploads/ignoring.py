"""Read a `.gitignore`, and say which files it leaves out."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Rule:
    """A line of a `.gitignore`: `pieces` are of its path, `ignores` is false after `!`, which takes back."""

    pieces: tuple[str, ...]
    only_folders: bool
    ignores: bool

    def matches(self, path: str, *, folder: bool) -> bool:
        parts, ends = path.split("/"), {0}
        for piece in self.pieces:
            if piece == "**":
                ends = set(range(min(ends), len(parts) + 1)) if ends else ends
            else:
                ends = {end + 1 for end in ends if end < len(parts) and fnmatchcase(parts[end], piece)}
        return len(parts) in ends and (folder or not self.only_folders)


def ignore_rules(gitignore: str) -> list[Rule]:
    rules = []
    for line in gitignore.splitlines():
        pattern = line.rstrip()
        if not pattern.strip("/") or pattern.startswith("#"):
            continue
        path = pattern.removeprefix("!")
        pieces = re.sub(r"\\(.)", r"[\1]", path.strip("/")).split("/")
        if "/" not in path.rstrip("/"):
            pieces.insert(0, "**")
        if pieces[-1] == "**":  # all in a folder, not itself
            pieces.append("*")
        rules.append(Rule(tuple(pieces), path.endswith("/"), not pattern.startswith("!")))
    return rules


def is_ignored(path: str, rules: list[Rule]) -> bool:
    """The last rule that matches decides, as in git; what is in an ignored folder cannot be taken back."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        name, folder = "/".join(parts[:depth]), depth < len(parts)
        verdicts = [rule.ignores for rule in rules if rule.matches(name, folder=folder)]
        if verdicts and verdicts[-1]:
            return True
    return False
