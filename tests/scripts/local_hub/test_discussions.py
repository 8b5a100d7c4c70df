"""Discussions and pull requests, through huggingface_hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_session
from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError


@pytest.fixture
def repo(api: HfApi, repo_id: str) -> str:
    """A repo whose file `lines.txt` has three lines."""
    api.create_repo(repo_id)
    put(api, repo_id, "lines.txt", b"a\nb\nc\n")
    return repo_id


def put(api: HfApi, repo: str, path: str, content: bytes, **options: str | bool):
    return api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=content, **options)


def read(api: HfApi, repo: str, path: str, revision: str = "main") -> bytes:
    return Path(api.hf_hub_download(repo, path, revision=revision, force_download=True)).read_bytes()


def test_a_commit_opens_a_pull_request_that_is_merged(api: HfApi, repo: str) -> None:
    made = api.create_commit(
        repo,
        [
            CommitOperationAdd("lines.txt", b"a\nB\nc\n"),
            CommitOperationAdd("weights.bin", b"\0\1"),
            CommitOperationDelete(".gitattributes"),
        ],
        commit_message="Better lines",
        commit_description="Why",
        create_pr=True,
    )
    assert (made.pr_num, made.pr_revision) == (1, "refs/pr/1")
    assert made.pr_url == f"{api.endpoint}/{repo}/discussions/1"
    assert read(api, repo, "lines.txt") == b"a\nb\nc\n"
    assert read(api, repo, "lines.txt", "refs/pr/1") == b"a\nB\nc\n"
    put(api, repo, "other.txt", b"beside")  # main goes on meanwhile
    details = api.get_discussion_details(repo, 1)
    assert (details.title, details.status, details.is_pull_request) == ("Better lines", "open", True)
    assert (details.target_branch, details.conflicting_files) == ("refs/heads/main", [])
    assert [event.type for event in details.events] == ["comment", "status-change", "commit"]
    assert (details.events[0].content, details.events[2].oid) == ("Why", made.oid)
    assert "-b\n+B\n" in details.diff and "deleted file mode 100644" in details.diff
    assert "+version https://git-lfs.github.com/spec/v1\n" in details.diff
    api.merge_pull_request(repo, 1, comment="Thanks")
    details = api.get_discussion_details(repo, 1)
    assert details.status == "merged" and details.merge_commit_oid == api.model_info(repo).sha
    assert sorted(api.list_repo_files(repo)) == ["lines.txt", "other.txt", "weights.bin"]
    assert read(api, repo, "lines.txt") == b"a\nB\nc\n"
    assert api.list_repo_commits(repo)[0].title == "Better lines (#1)"
    with pytest.raises(HfHubHTTPError, match="is merged"):
        put(api, repo, "late.txt", b"x", revision="refs/pr/1")
    with pytest.raises(HfHubHTTPError, match="merged already"):
        api.change_discussion_status(repo, 1, "open")


def test_a_draft_is_opened_and_committed_to(api: HfApi, repo: str) -> None:
    draft = api.create_pull_request(repo, "  A draft ")
    assert (draft.num, draft.title, draft.status, draft.author) == (1, "A draft", "draft", "local")
    with pytest.raises(HfHubHTTPError, match="number 1 is draft"):
        api.merge_pull_request(repo, 1)
    put(api, repo, "new.txt", b"x", revision=draft.git_reference)
    api.change_discussion_status(repo, 1, "open")
    api.merge_pull_request(repo, 1)
    assert read(api, repo, "new.txt") == b"x"


def test_what_both_sides_changed_is_a_conflict(api: HfApi, repo: str) -> None:
    put(api, repo, "lines.txt", b"mine", create_pr=True)
    put(api, repo, "same.txt", b"same", revision="refs/pr/1")
    put(api, repo, "lines.txt", b"theirs")
    put(api, repo, "same.txt", b"same")
    assert api.get_discussion_details(repo, 1).conflicting_files == ["lines.txt"]
    with pytest.raises(HfHubHTTPError, match=r"changed on both sides: lines\.txt"):
        api.merge_pull_request(repo, 1)
    assert read(api, repo, "lines.txt") == b"theirs"
    put(api, repo, "lines.txt", b"theirs", revision="refs/pr/1")
    api.merge_pull_request(repo, 1)
    assert api.get_discussion_details(repo, 1).status == "merged"


def test_a_pull_request_against_a_branch_or_from_a_commit(api: HfApi, repo: str) -> None:
    first = api.list_repo_commits(repo)[-1].commit_id
    api.create_branch(repo, branch="next")
    put(api, repo, "n.txt", b"n", create_pr=True, revision="next")
    assert api.get_discussion_details(repo, 1).target_branch == "refs/heads/next"
    put(api, repo, "m.txt", b"m", create_pr=True, parent_commit=first)
    assert sorted(api.list_repo_files(repo, revision="refs/pr/2")) == [".gitattributes", "m.txt"]
    for revision in ("absent", first, "refs/tags/v1"):
        with pytest.raises(RevisionNotFoundError):
            put(api, repo, "x.txt", b"x", create_pr=True, revision=revision)
    refs = api.list_repo_refs(repo, include_pull_requests=True)
    assert [ref.ref for ref in refs.pull_requests] == ["refs/pr/1", "refs/pr/2"]
    assert [ref.name for ref in refs.branches] == ["main", "next"]
    assert api.list_repo_refs(repo).pull_requests is None


def test_people_talk(api: HfApi, repo: str) -> None:
    api.create_discussion(repo, "First words")
    said = api.comment_discussion(repo, 1, "**가격**은 어디에?")
    edited = api.edit_discussion_comment(repo, 1, said.id, "가격은 뺐습니다")
    assert (edited.content, edited.edited, edited.number_of_edits) == ("가격은 뺐습니다", True, 1)
    assert edited.edit_history[0]["raw"] == "**가격**은 어디에?"
    renamed = api.rename_discussion(repo, 1, "Second words")
    assert (renamed.old_title, renamed.new_title) == ("First words", "Second words")
    hidden = api.hide_discussion_comment(repo, 1, said.id)
    assert hidden.hidden and "가격" not in str(hidden._event)
    closed = api.change_discussion_status(repo, 1, "closed", comment="Done")
    assert closed.new_status == "closed"
    assert [event.type for event in api.get_discussion_details(repo, 1).events] == [
        "comment",
        "comment",
        "title-change",
        "comment",
        "status-change",
    ]


def test_lists_are_filtered_and_paged(api: HfApi, repo: str) -> None:
    for number in range(52):
        api.create_discussion(repo, f"Number {number}", pull_request=number % 26 == 0)
    api.change_discussion_status(repo, 2, "closed")
    assert [thread.num for thread in api.get_repo_discussions(repo)] == list(range(52, 0, -1))
    assert [thread.num for thread in api.get_repo_discussions(repo, discussion_type="pull_request")] == [27, 1]
    assert [thread.num for thread in api.get_repo_discussions(repo, discussion_status="closed")] == [2]
    assert len(list(api.get_repo_discussions(repo, discussion_type="discussion", discussion_status="open"))) == 49
    assert list(api.get_repo_discussions(repo, author="nobody")) == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"title": "ab", "description": "x"}, 400),
        ("", {"title": "x" * 201, "description": "x"}, 400),
        ("", {"title": "words", "description": " "}, 400),
        ("", {"title": "words"}, 400),
        ("/1/comment", {"comment": "x" * 70_000}, 400),
        ("/1/status", {"status": "merged"}, 400),
        ("/1/status", {"status": "open"}, 400),
        ("/1/merge", {}, 400),
        ("/2/comment", {"comment": "x"}, 404),
        ("/1/comment/feed/edit", {"content": "x"}, 404),
        ("/x/comment", {"comment": "x"}, 400),
    ],
)
def test_what_is_wrong_is_answered_and_changes_nothing(
    api: HfApi, repo: str, path: str, body: dict[str, str], status: int
) -> None:
    api.create_discussion(repo, "words")
    before = api.get_discussion_details(repo, 1)
    url = f"{api.endpoint}/api/models/{repo}/discussions{path}"
    assert get_session().post(url, json=body).status_code == 401
    answer = get_session().post(url, json=body, headers={"authorization": f"Bearer {api.token}"})
    assert answer.status_code == status and answer.json()["error"]
    assert api.get_discussion_details(repo, 1) == before
    assert len(list(api.get_repo_discussions(repo))) == 1


def test_pages_show_them_escaped(api: HfApi, repo: str) -> None:
    api.create_discussion(repo, "<script>1</script>", description="<b>x</b>")
    put(api, repo, "lines.txt", b"<i>new</i>", create_pr=True)
    overview = get_session().get(f"{api.endpoint}/{repo}/discussions").text
    assert "#1 &lt;script&gt;1&lt;/script&gt;" in overview and "#2" in overview
    page = get_session().get(f"{api.endpoint}/{repo}/discussions/1").text
    assert "&lt;b&gt;x&lt;/b&gt;" in page and "<script>" not in page
    assert "+&lt;i&gt;new&lt;/i&gt;" in get_session().get(f"{api.endpoint}/{repo}/discussions/2").text
