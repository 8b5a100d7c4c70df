"""Check repo ids, file paths and ref names by the Hub's and git's rules."""

import re
from typing import Literal

from scripts.local_hub.errors import ApiError, bad_request

Kind = Literal["models", "datasets", "spaces", "kernels"]
KINDS: tuple[Kind, ...] = ("models", "datasets", "spaces", "kernels")
WEB_PREFIX: dict[Kind, str] = {"models": "", "datasets": "datasets/", "spaces": "spaces/", "kernels": "kernels/"}
KIND_OF_TYPE: dict[str, Kind] = {"model": "models", "dataset": "datasets", "space": "spaces", "kernel": "kernels"}

_RESERVED_NAMESPACES = {"api", "collections", *KINDS}
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)")
_MAX_PATH = 1024
_MAX_SEGMENT = 255


def check_repo_id(namespace: str, name: str) -> str:
    """Return `namespace/name`, or raise 400."""
    repo_id = f"{namespace}/{name}"
    # The clients' own rule (`huggingface_hub.utils.validate_repo_id`), so that no repo is out of their reach.
    well_formed = _NAME.fullmatch(namespace) and _NAME.fullmatch(name)
    if not well_formed or "--" in repo_id or ".." in repo_id or name.endswith((".git", ".ipynb")):
        raise bad_request(
            f"Invalid repo id {repo_id!r}: use letters, digits, '-', '_' and '.', at most 96 a part; "
            "no '--' or '..', no leading or trailing '-' or '.', no '.git' at the end."
        )
    if namespace.lower() in _RESERVED_NAMESPACES:
        raise bad_request(f"The namespace {namespace!r} is reserved.")
    return repo_id


def check_path(path: str) -> str:
    """Return the path of a file in a repo, or raise 422: relative, with `/`, without `.`, `..`, `.git`, `\\`.

    A backslash would lead out of the folder on Windows.
    """
    segments = path.split("/")
    if (
        any(segment in ("", ".", "..") or segment.lower() == ".git" for segment in segments)
        or any(ord(character) < 32 or character == "\x7f" for character in path)
        or any(0xD800 <= ord(character) <= 0xDFFF for character in path)
        or "\\" in path
        or len(path) > _MAX_PATH
        or any(len(segment.encode()) > _MAX_SEGMENT for segment in segments)
    ):
        raise ApiError(422, "InvalidPath", f"Invalid path in repo: {path!r}")
    return path


def check_ref(name: str) -> str:
    """Return the name of a new branch or tag, or raise 400 (the rules of `git check-ref-format`)."""
    bad_edge = name.startswith(("/", "-", ".", "refs/")) or name.endswith(("/", "."))
    if not name or name == "@" or bad_edge or len(name) > _MAX_SEGMENT or _BAD_IN_REF.search(name):
        raise bad_request(f"Invalid reference name: {name!r}")
    if re.fullmatch(r"[0-9a-f]{40}", name):
        raise bad_request(f"A reference cannot be named like a commit: {name}")
    return name
