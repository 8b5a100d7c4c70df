"""Users, organisations, and what their tokens let them do, through huggingface_hub."""

from __future__ import annotations

import http.client
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from typer.testing import CliRunner

from scripts.core import env
from scripts.local_hub.access.administering import changing
from scripts.local_hub.identity.callers import STRANGER, hash_of, of_token
from tests.scripts.local_hub.conftest import Hanjul, clean_environment


def put(api: HfApi, repo: str, path: str = "a.txt", **options: bool | str):
    return api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=path.encode(), **options)


def refused(match: str):
    return pytest.raises(HfHubHTTPError, match=match)


def test_a_user_has_a_name_a_namespace_and_a_history(person: Callable[..., HfApi]) -> None:
    mine = person("Dana")
    assert (mine.whoami()["name"], mine.whoami()["auth"]["accessToken"]["role"]) == ("Dana", "write")
    repo = mine.create_repo("first").repo_id
    assert repo == "Dana/first"
    put(mine, repo)
    put(mine, repo, "b.txt", create_pr=True)
    mine.merge_pull_request(repo, 1)
    assert {tuple(commit.authors) for commit in mine.list_repo_commits(repo)} == {("Dana",)}
    assert {event.author for event in mine.get_discussion_details(repo, 1).events} == {"Dana"}
    assert mine.get_user_overview("Dana").num_models == 1
    with refused("don't have the rights"):
        mine.create_repo("team/not-mine")
    with refused("don't have the rights"):
        mine.move_repo(repo, "team/not-mine")


def test_others_read_and_propose_and_write_nothing(person: Callable[..., HfApi], api: HfApi) -> None:
    mine, other = person(), person()
    repo = mine.create_repo("shared").repo_id
    put(mine, repo)
    assert "a.txt" in other.list_repo_files(repo)
    with refused("may not write"):
        put(other, repo, "b.txt")
    with refused("may not write"):
        other.update_repo_settings(repo, visibility="private")
    with refused("rights"):
        other.delete_repo(repo)
    large = CommitOperationAdd("w.bin", bytes(range(256)) * 64)
    other.create_commit(repo, [large], commit_message="Better", create_pr=True)
    put(other, repo, "b.txt", revision="refs/pr/1")
    third = person()
    with refused("pull request 1 is"):
        put(third, repo, "c.txt", revision="refs/pr/1")
    third.comment_discussion(repo, 1, "fine")
    for change in (
        lambda: third.rename_discussion(repo, 1, "mine now"),
        lambda: third.change_discussion_status(repo, 1, "closed"),
        lambda: other.merge_pull_request(repo, 1),
    ):
        with refused("403"):
            change()
    mine.merge_pull_request(repo, 1)
    assert {"w.bin", "b.txt"} <= set(mine.list_repo_files(repo))
    api.delete_repo(repo)  # the owner of the store may do everything


def test_private_repos_are_their_namespaces_alone(person: Callable[..., HfApi], anonymous: HfApi) -> None:
    mine, other = person(), person()
    repo = mine.create_repo("secret", private=True).repo_id
    put(mine, repo)
    for stranger in (other, anonymous):
        assert repo not in [info.id for info in stranger.list_models()]
        for ask in (stranger.model_info, stranger.list_repo_commits, stranger.list_repo_refs, stranger.delete_repo):
            with pytest.raises(HfHubHTTPError) as error:
                ask(repo)
            assert error.value.response.status_code in (401, 404)
    with pytest.raises(RepositoryNotFoundError):
        put(other, repo, create_pr=True)
    assert [info.id for info in mine.list_models(author=repo.split("/")[0])] == [repo]
    private = mine.create_collection("hidden", private=True)
    assert mine.get_collection(private.slug).title == "hidden"
    with refused("404"):
        other.get_collection(private.slug)
    with refused("rights"):
        other.create_collection("theirs", namespace=repo.split("/")[0])


def test_an_organisation(person: Callable[..., HfApi], hanjul: Hanjul) -> None:
    writer, reader = person("writer"), person("reader")
    hanjul("users", "add", "Studio", "--org", "--member", "writer", "--private-by-default", "--fullname", "The Studio")
    hanjul("users", "add", "Studio", "--org", "--member", "reader", "--read-only")
    assert [org["fullname"] for org in reader.whoami()["orgs"]] == ["The Studio"]
    assert [user.username for user in reader.list_organization_members("Studio")] == ["reader", "writer"]
    repo = writer.create_repo("Studio/copy").repo_id
    put(writer, repo)
    assert reader.model_info(repo).private
    assert not writer.model_info(writer.create_repo("Studio/open", private=False).repo_id).private
    with refused("may not write"):
        put(reader, repo)
    put(reader, repo, create_pr=True)
    assert "Studio\torg\treader (read), writer (write)" in hanjul("users", "list")
    hanjul("users", "remove", "Studio")
    with pytest.raises(RepositoryNotFoundError):
        reader.model_info(repo)


def test_tokens_have_roles(person: Callable[..., HfApi], hanjul: Hanjul) -> None:
    mine = person("Rolf")
    one, two = (mine.create_repo(name, private=True).repo_id for name in ("one", "two"))
    reads = person("Rolf", "--role", "read")
    assert reads.model_info(one).private and reads.whoami()["auth"]["accessToken"]["role"] == "read"
    for write in (
        lambda: put(reads, one),
        lambda: reads.create_repo("x"),
        lambda: reads.create_discussion(one, "hello"),
    ):
        with refused("only read"):
            write()
    fine = person("Rolf", "--role", "fine-grained", "--scope", "models/Rolf/one:write", "--scope", "spaces/Rolf/s:read")
    put(fine, one)
    put(fine, one, "b.txt", create_pr=True)
    assert fine.whoami()["auth"]["accessToken"]["role"] == "fineGrained"
    with pytest.raises(RepositoryNotFoundError):
        fine.model_info(two)
    with refused("rights"):
        fine.create_repo("Rolf/three")
    hanjul("users", "tokens", "add", "Rolf", "--scope", "Rolf:read", ends=1)
    hanjul("users", "tokens", "add", "Rolf", "--role", "fine-grained", "--scope", "Rolf", ends=1)
    listed = [line.split("\t") for line in hanjul("users", "tokens", "list", "Rolf")]
    assert [line[2] for line in listed] == ["write", "read", "fine-grained"]
    hanjul("users", "tokens", "revoke", "Rolf", listed[1][0])
    with refused("Invalid user token"):
        reads.whoami()
    hanjul("users", "remove", "Rolf")
    with refused("Invalid user token"):
        mine.whoami()


def test_tokens_are_hashed_at_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts.cli import app

    monkeypatch.setattr(env, "hub_store", lambda: tmp_path / "hub")
    CliRunner().invoke(app, ["hub", "users", "add", "someone"])
    token = CliRunner().invoke(app, ["hub", "users", "tokens", "add", "someone"]).output.strip()
    assert token.startswith("hf_") and len(token) > 40
    for path in (tmp_path / "hub").rglob("*"):
        assert token.encode() not in path.read_bytes()
    with changing(tmp_path / "hub") as db:
        assert db.execute("SELECT hash FROM tokens").fetchone()["hash"] == hash_of(token)
        assert of_token(db, token, "owners").name == "someone"
        assert of_token(db, "", "owners") is of_token(db, token[:-1], "owners") is STRANGER


@pytest.mark.parametrize("name", ["local", "LOCAL", "api", "a/b", "-x", "Twice"])
def test_names_that_nobody_can_have(hanjul: Hanjul, name: str) -> None:
    if name == "Twice":
        hanjul("users", "add", "twice")
    hanjul("users", "add", "--", name, ends=1)


def test_a_store_of_before_is_opened(tmp_path: Path) -> None:
    repo = "INSERT INTO repos (id, kind, repo_id, visibility, created_at) VALUES (1, 'models', 'a/b', 'public', '')"
    with changing(tmp_path) as db:
        db.execute(repo)
        db.execute("INSERT INTO commits VALUES (1, 's', NULL, 't', 'first', '', 'now', 'someone')")
    old = sqlite3.connect(tmp_path / "hub.sqlite")
    old.executescript("ALTER TABLE commits DROP COLUMN author; ALTER TABLE repos DROP COLUMN downloads")
    old.close()
    with changing(tmp_path) as db:
        assert db.execute("SELECT author FROM commits").fetchone()["author"] == "local"


def test_a_team_is_served_with_tokens_alone(tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts.cli import app

    store = tmp_path / "hub"
    command = [sys.executable, "-m", "scripts.local_hub", "--store", str(store), "--port", str(free_port)]
    command += ["--host", "0.0.0.0"]
    environment = clean_environment(tmp_path)
    refusal = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert refusal.returncode == 1 and "hanjul hub users tokens add NAME" in refusal.stderr
    monkeypatch.setattr(env, "hub_store", lambda: store)
    CliRunner().invoke(app, ["hub", "users", "add", "someone"])
    token = CliRunner().invoke(app, ["hub", "users", "tokens", "add", "someone"]).output.strip()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout and server.stdout.readline().strip() == f"http://127.0.0.1:{free_port}"
            connection = http.client.HTTPConnection("127.0.0.1", free_port, timeout=10)
            headers = {"Host": "hub.team.example", "X-Forwarded-Proto": "https", "Authorization": f"Bearer {token}"}
            body = '{"name": "x"}'
            connection.request("POST", "/api/repos/create", body, headers | {"Content-Type": "application/json"})
            assert b'"https://hub.team.example/someone/x"' in connection.getresponse().read()
            connection.request("GET", "/api/models", headers={"Host": "hub.example/<script>"})
            assert connection.getresponse().status == 400
        finally:
            server.terminate()
