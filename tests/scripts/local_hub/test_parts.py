"""The parts without a server: git's ids, cards, names, sweeping."""

import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.local_hub import blobs, cards, commits, git, repos
from scripts.local_hub.errors import ApiError
from scripts.local_hub.identity.callers import OWNER
from scripts.local_hub.names import check_path, check_ref, check_repo_id
from scripts.local_hub.store import open_store


@pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")
def test_ids_are_those_of_git(tmp_path: Path):
    def run(*command: str, **extra: str) -> str:
        done = subprocess.run(["git", *command], cwd=tmp_path, env=os.environ | extra, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    contents = {"a.txt": b"1", "a/b/c": b"2", "a-b": b"3", "a.b/d": b"", "폴더/파일": b"4"}
    run("init", "-q")
    for path, content in contents.items():
        path = path.replace("a/b", "x/b")
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    run("add", ".")
    files = {path.replace("a/b", "x/b"): git.blob_oid(content) for path, content in contents.items()}
    trees = git.tree_oids(files)
    root = run("write-tree")
    assert trees[""] == root
    assert trees["x/b"] == run("rev-parse", f"{root}:x/b")
    who = {}
    for role in ("AUTHOR", "COMMITTER"):
        who |= {f"GIT_{role}_NAME": "local", f"GIT_{role}_EMAIL": "local@localhost"}
        who[f"GIT_{role}_DATE"] = "1700000000 +0000"
    date = datetime.fromtimestamp(1_700_000_000, UTC)
    first = run("commit-tree", root, "-m", "제목", **who)
    assert git.commit_oid(root, None, "local", date, "제목\n") == first
    assert git.commit_oid(root, first, "local", date, "2\n") == run("commit-tree", root, "-p", first, "-m", "2", **who)


def test_front_matter():
    text = "---\nlicense: mit\nwhen: 2026-11-22\nlist: &x [1, .inf]\nagain: *x\n---\n# body"
    assert cards.front_matter(text) == {"license": "mit", "when": "2026-11-22", "list": [1, "inf"], "again": [1, "inf"]}
    assert cards.front_matter("# body") == cards.front_matter("---\nopen: 1") == {}
    bomb = (
        "---\na: &a [x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join(f'*{before}' for _ in range(9))}]\n"
            for before, name in zip("abcdefg", "bcdefgh", strict=True)
        )
        + "---\n"
    )
    for bad in ("---\n[\n---\n", "---\n- a\n---\n", "---\na: &a [*a]\n---\n", bomb):
        with pytest.raises(cards.CardError):
            cards.front_matter(bad)


def test_card_problems():
    assert cards.problems("models", "") == ([], ["empty or missing yaml metadata in repo card"])
    assert cards.problems("spaces", "---\nsdk: gradio\ncolorFrom: mauve\n---\n")[0] == [
        '"colorFrom" must be one of [red, yellow, green, blue, indigo, purple, pink, gray]'
    ]
    result = "{task: {type: t}, dataset: {name: d, type: d}, metrics: []}"
    good = f"---\nmodel-index:\n- name: m\n  results: [{result}]\n---\n"
    assert cards.problems("models", good) == ([], [])
    assert cards.tags("datasets", {"tags": ["a"], "language": ["ko"], "license": "mit"}) == [
        "a",
        "license:mit",
        "language:ko",
    ]


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a/", "a//b", "./a", "a/../b", ".git/config", "a/.GIT/b", "a\0", "x" * 256, "a/" * 600 + "a", "\ud800"],
)
def test_bad_paths(path: str):
    with pytest.raises(ApiError, match="Invalid path"):
        check_path(path)


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", "/a", "a/", "a.lock", "@", "a@{b", "-a", "refs/heads/a", "a" * 40, "a~1"]
)
def test_bad_refs(name: str):
    with pytest.raises(ApiError):
        check_ref(name)


def test_good_names():
    assert check_repo_id("google", "gemma-3-270m") == "google/gemma-3-270m"
    assert check_path("한글/a b.txt") == "한글/a b.txt"
    assert check_ref("feature/v1.2.0") == "feature/v1.2.0"


def test_sweep_keeps_what_is_used_or_young(tmp_path: Path):
    store = open_store(tmp_path)
    used, unused, young = (blobs.write(store.blobs, content) for content in (b"used", b"unused", b"young"))
    with store.writing() as db:
        repo = repos.create(db, "models", "a/b", "public", None, None)
        commits.add(db, repo, "main", {"f": commits.lfs_file("f", used, 4)}, "local", "first")
    long_ago = time.time() - 200_000
    for sha256 in (used, unused):
        os.utime(blobs.path_of(store.blobs, sha256), (long_ago, long_ago))
    (store.blobs / "partial" / "half").write_bytes(b"interrupted")
    open_store(tmp_path)
    assert {path.name for path in store.blobs.glob("??/*")} == {used, young}
    assert not list((store.blobs / "partial").iterdir())
    with store.writing() as db:
        repos.delete(db, repo)
    open_store(tmp_path)
    assert {path.name for path in store.blobs.glob("??/*")} == {young}


def test_a_failed_write_rolls_back(tmp_path: Path):
    store = open_store(tmp_path)
    with pytest.raises(ZeroDivisionError), store.writing() as db:
        repos.create(db, "models", "a/b", "public", None, None)
        _ = 1 / 0
    with store.reading() as db:
        assert repos.list_visible(db, "models", OWNER) == []
