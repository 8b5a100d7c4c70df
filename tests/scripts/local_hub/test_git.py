"""`git clone` and `git fetch` by git itself, and the LFS protocol by which git-lfs gets files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, get_session


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run git without the user's settings, and without a question on the terminal."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }

    def run(*command: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(["git", *command], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode != 0) == fails, done.stderr
        return done

    return run


@pytest.fixture
def repo(api: HfApi, repo_id: str) -> str:
    api.create_repo(repo_id)
    files = {"a/b/한글.txt": b"a" * 100, "a.txt": b"", "a-b.txt": b"x", "large.bin": b"\0large"}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(repo_id, operations, commit_message="Files", commit_description="With a\n\ndescription")
    api.create_tag(repo_id, tag="v1")
    api.create_branch(repo_id, branch="side")
    api.upload_file(repo_id=repo_id, path_in_repo="side.txt", path_or_fileobj=b"side", revision="side")
    return repo_id


def test_a_repo_is_cloned(api: HfApi, repo: str, git, tmp_path: Path) -> None:
    git("clone", "-q", f"{api.endpoint}/{repo}", "copy")
    copy = tmp_path / "copy"
    assert (copy / "a/b/한글.txt").read_bytes() == b"a" * 100 and (copy / "a.txt").read_bytes() == b""
    assert (copy / "large.bin").read_text().startswith("version https://git-lfs.github.com/spec/v1\noid sha256:")
    assert git("-C", "copy", "rev-parse", "HEAD").stdout.strip() == api.model_info(repo).sha
    assert git("-C", "copy", "rev-parse", "v1").stdout.strip() == api.model_info(repo, revision="v1").sha
    assert git("-C", "copy", "log", "-1", "--format=%an|%B").stdout == "local|Files\n\nWith a\n\ndescription\n"
    git("-C", "copy", "fsck", "--strict")
    git("-C", "copy", "checkout", "-q", "side")
    assert (copy / "side.txt").read_text() == "side"
    newest = api.upload_file(repo_id=repo, path_in_repo="new.txt", path_or_fileobj=b"new")
    git("-C", "copy", "fetch", "-q")
    assert git("-C", "copy", "rev-parse", "origin/main").stdout.strip() == newest.oid
    assert (
        "git push is not supported" not in git("-C", "copy", "push", "origin", "HEAD:refs/heads/x", fails=True).stdout
    )
    assert len(api.list_repo_refs(repo).branches) == 2


def test_a_dataset_with_many_commits_is_cloned(api: HfApi, repo_id: str, git, tmp_path: Path) -> None:
    api.create_repo(repo_id, repo_type="dataset")
    for number in range(20):
        api.upload_file(repo_id=repo_id, repo_type="dataset", path_in_repo="n.txt", path_or_fileobj=b"%d" % number)
    git("clone", "-q", f"{api.endpoint}/datasets/{repo_id}.git", "copy")
    git("-C", "copy", "fsck", "--strict")
    assert len(git("-C", "copy", "log", "--oneline").stdout.splitlines()) == 21


def test_private_repos_take_a_token(api: HfApi, repo: str, git, tmp_path: Path) -> None:
    api.update_repo_settings(repo, private=True)
    address = f"{api.endpoint}/{repo}"
    assert "could not read Username" in git("clone", "-q", address, "copy", fails=True).stderr
    git("clone", "-q", address.replace("://", f"://me:{api.token}@"), "copy")
    assert (tmp_path / "copy" / "a-b.txt").read_text() == "x"


def test_large_files_come_by_lfs(api: HfApi, repo: str, person: Callable[..., HfApi]) -> None:
    (large,) = api.list_lfs_files(repo)
    other = person()
    theirs = other.create_repo("theirs").repo_id

    def batch(client: HfApi, name: str):
        body = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": large.oid, "size": large.size}]}
        address = f"{client.endpoint}/{name}.git/info/lfs/objects/batch"
        return get_session().post(address, json=body, headers=client._build_hf_headers())

    (found,) = batch(other, repo).json()["objects"]
    address = found["actions"]["download"]["href"]
    assert get_session().get(address).content == b"\0large"
    assert get_session().get(address[:-1] + "0").status_code == 403
    assert batch(other, theirs).json()["objects"][0]["error"]["code"] == 404
    api.update_repo_settings(repo, private=True)
    assert batch(other, repo).status_code == 404


@pytest.mark.parametrize("body", [b"zzzz", b"0032want " + b"0" * 40 + b"\n00000009done\n", b"0009done\n", b"ffff"])
def test_requests_that_git_does_not_send(api: HfApi, repo: str, body: bytes) -> None:
    answer = get_session().post(f"{api.endpoint}/{repo}/git-upload-pack", content=body)
    assert answer.status_code in (200, 400) and b"PACK" not in answer.content
    zipped = get_session().post(
        f"{api.endpoint}/{repo}/git-upload-pack", content=body, headers={"Content-Encoding": "gzip"}
    )
    assert zipped.status_code == 400
