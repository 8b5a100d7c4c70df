"""What clients' own tests expect of the Hub, in small: orders of checks, texts of errors, files that are left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, RepoCard, get_session
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from scripts.local_hub.uploads.ignoring import ignore_rules, is_ignored


@pytest.fixture
def repo(api: HfApi, repo_id: str) -> str:
    return api.create_repo(repo_id).repo_id


def put(api: HfApi, repo: str, path: str, content: bytes = b"x", **options: str | bool):
    return api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=content, **options)


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        ("nested/*", "nested/a", True),
        ("nested/*", "deep/nested/a", False),
        ("*.log", "deep/a.log", True),
        ("*.log\n!keep.log", "deep/keep.log", False),
        ("build/", "deep/build/a", True),
        ("build/", "build", False),
        ("/top", "top", True),
        ("/top", "deep/top", False),
        ("**/x/y", "deep/x/y", True),
        ("a/**", "a/b/c", True),
        ("a/**\n!a/b", "a/b", False),
        ("a/\n!a/b", "a/b", True),
        ("a/**/z", "a/z", True),
        ("# a\n\n[z-a]\n\\#b", "#b", True),
        ("*" * 300 + "b", "a" * 1000, False),
    ],
)
def test_gitignore(rules: str, path: str, ignored: bool) -> None:
    assert is_ignored(path, ignore_rules(rules)) is ignored


def test_ignored_files_stay_behind(api: HfApi, repo: str, tmp_path: Path) -> None:
    for name in ("kept.txt", "left.log", "drafts/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    put(api, repo, ".gitignore", b"*.log\n")
    api.upload_folder(repo_id=repo, folder_path=tmp_path)
    assert {"kept.txt", "drafts/a.txt"} == set(api.list_repo_files(repo)) - {".gitattributes", ".gitignore"}
    (tmp_path / ".gitignore").write_text("drafts/\n")
    api.upload_folder(repo_id=repo, folder_path=tmp_path, path_in_repo="")
    assert "left.log" in api.list_repo_files(repo)


def test_paths_of_windows_are_refused(api: HfApi, repo: str) -> None:
    with pytest.raises(HfHubHTTPError) as error:
        put(api, repo, "..\\out")
    assert error.value.response.status_code == 422


def test_a_folder_is_deleted_by_its_name(api: HfApi, repo: str) -> None:
    for path in ("1/a", "1/b", "2/c", "3/d"):
        put(api, repo, path)
    for folder in ("1", "2/"):
        api.create_commit(repo, [CommitOperationDelete(folder)], commit_message="less")
    api.delete_folder("3", repo)
    assert api.list_repo_files(repo) == [".gitattributes"]
    with pytest.raises(EntryNotFoundError):
        api.create_commit(repo, [CommitOperationDelete("1")], commit_message="less")


def test_refs_and_names(api: HfApi, repo: str) -> None:
    api.create_branch(repo, branch="b")
    taken = api.create_repo(f"{repo}-2").repo_id
    for call, match in (
        (lambda: api.create_branch(repo, branch="b"), "Reference refs/heads/b already exists"),
        (lambda: api.delete_branch(repo, branch="main"), "Cannot delete refs/heads/main"),
        (
            lambda: api.move_repo(repo, taken),
            "A model repository called .* already exists",
        ),
    ):
        with pytest.raises(HfHubHTTPError, match=match):
            call()
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(repo, tag="bad name", revision="missing")
    put(api, repo.upper(), "any-case.txt")
    assert "any-case.txt" in api.list_repo_files(repo)
    for call in (api.list_repo_commits, api.list_repo_refs, api.model_info, api.get_repo_discussions):
        with pytest.raises(RepositoryNotFoundError):
            list(call("no-namespace"))
    with pytest.raises(RepositoryNotFoundError, match="Creating a commit assumes that the repo already exists"):
        put(api, "team/not-there", "a")


def test_titles_are_shown_as_html(api: HfApi, repo: str) -> None:
    put(api, repo, "a", commit_message="a < b", commit_description="why & how")
    newest = api.list_repo_commits(repo, formatted=True)[0]
    assert (newest.formatted_title, newest.formatted_message) == ("a &lt; b", "why &amp; how")
    assert api.list_repo_commits(repo)[0].formatted_title is None


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        ("\n---\nmodel-index: foo\n---\n", "model-index"),
        ("---\nlicense: asdf\n---\n", '"license" must be one of'),
        ("---\nlicense: [mit, asdf]\n---\n", '"license" must be one of'),
    ],
)
def test_cards_that_are_refused(api: HfApi, repo: str, card: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RepoCard(card, ignore_metadata_errors=True).validate("model")
    with pytest.raises(ValueError, match=r"Invalid metadata in README\.md"):
        put(api, repo, "README.md", card.encode())


def test_answers_carry_the_name_of_their_request(api: HfApi, repo: str) -> None:
    for path, status in ((f"/api/models/{repo}", 200), ("/api/none", 404)):
        answer = get_session().get(api.endpoint + path, headers={"X-Request-Id": "mine-1"})
        assert (answer.status_code, answer.headers.get_list("x-request-id")) == (status, ["mine-1"])
    assert len(get_session().get(api.endpoint, headers={"X-Request-Id": "<script>"}).headers["x-request-id"]) >= 32


def test_large_files_leave_the_history_for_good(api: HfApi, repo: str, scratch: Path) -> None:
    put(api, repo, "secret.bin", b"\0secret")
    put(api, repo, "kept.bin", b"\0kept")
    first = api.create_commit(repo, [CommitOperationAdd("other.bin", b"\0pull")], commit_message="more", create_pr=True)
    api.create_tag(repo, tag="v1")
    api.create_branch(repo, branch="side")
    put(api, repo, "side.bin", b"\0side", revision="side")
    files = {file.filename: file for file in api.list_lfs_files(repo)}
    assert {name: file.ref for name, file in files.items()} == {
        "secret.bin": "refs/heads/main",
        "kept.bin": "refs/heads/main",
        "side.bin": "refs/heads/side",
        "other.bin": "refs/pr/1",
    }
    blob = next((scratch / "session-hub" / "blobs").glob(f"*/{files['secret.bin'].oid}"))
    api.permanently_delete_lfs_files(repo, [files["secret.bin"]])
    assert not blob.exists()
    assert {file.filename for file in api.list_lfs_files(repo)} == {"kept.bin", "side.bin", "other.bin"}
    for revision in ("main", "v1", "side", "refs/pr/1"):
        assert "secret.bin" not in api.list_repo_files(repo, revision=revision)
    assert [commit.title for commit in api.list_repo_commits(repo)][-1] == "initial commit"
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo, revision=first.oid)
    (committed,) = [event for event in api.get_discussion_details(repo, 1).events if event.type == "commit"]
    assert api.list_repo_commits(repo, revision="refs/pr/1")[0].commit_id == committed.oid
    api.merge_pull_request(repo, 1)
    assert "other.bin" in api.list_repo_files(repo)
