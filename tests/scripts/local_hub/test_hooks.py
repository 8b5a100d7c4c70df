"""Webhooks: managed through huggingface_hub, delivered to a real receiver."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import HfApi, WebhookPayload, WebhookWatchedItem
from huggingface_hub.errors import HfHubHTTPError

Heard = tuple[str | None, WebhookPayload]


class Receiver:
    """A server that keeps what it is sent; the first answers are those of `statuses`."""

    def __init__(self) -> None:
        self.heard: queue.Queue[Heard] = queue.Queue()
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 204
                if status == 204:
                    payload = WebhookPayload(**json.loads(body))
                    outer.heard.put((self.headers["X-Webhook-Secret"], payload))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"

    def next(self) -> tuple[str, str, WebhookPayload]:
        """Scope, action and all of what is heard next."""
        payload = self.heard.get(timeout=20)[1]
        return payload.event.scope, payload.event.action, payload


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    threading.Thread(target=receiver.server.serve_forever, args=(0.02,), daemon=True).start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def put(api: HfApi, repo: str, path: str, **options: bool):
    return api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=b"x", **options)


def test_a_watcher_hears_what_happens(person: Callable[..., HfApi], receiver: Receiver) -> None:
    mine, watcher = person(), person()
    user = mine.whoami()["name"]
    repo = f"{user}/watched"
    hook = watcher.create_webhook(url=receiver.url, watched=[{"type": "user", "name": user}], secret="s3cret")
    mine.create_repo(repo)
    scopes = [receiver.next()[:2] for _ in range(2)]
    assert scopes == [("repo.content", "update"), ("repo", "create")]
    made = put(mine, repo, "a.txt")
    secret, payload = receiver.heard.get(timeout=20)
    assert secret == "s3cret" and payload.webhook.id == hook.id
    assert (payload.repo.name, payload.repo.url.web) == (repo, f"{mine.endpoint}/{repo}")
    assert payload.updatedRefs and payload.updatedRefs[0].newSha == made.oid
    put(mine, repo, "b.txt", create_pr=True)
    heard = [receiver.next() for _ in range(4)]
    assert {heard_[0] for heard_ in heard} == {"repo.content", "discussion"}
    opened = next(payload for _, action, payload in heard if action == "create")
    assert opened.discussion and opened.discussion.isPullRequest and opened.comment
    mine.comment_discussion(repo, 1, "ready")
    scope, action, said = receiver.next()
    assert (scope, action, said.comment and said.comment.content) == ("discussion.comment", "create", "ready")
    assert said.discussion and said.discussion.url.web == f"{mine.endpoint}/{repo}/discussions/1"
    mine.move_repo(repo, f"{repo}-2")
    assert (moved := receiver.next()[2].movedTo) and moved.name == f"{repo}-2"
    mine.update_repo_settings(f"{repo}-2", private=True)
    mine.create_repo(f"{repo}-3")
    mine.delete_repo(f"{repo}-3")
    rest = [receiver.next() for _ in range(3)]
    assert {payload.repo.name for _, _, payload in rest} == {f"{repo}-3"}, "what is private is told to nobody else"


def test_deliveries_are_tried_again(api: HfApi, repo_id: str, receiver: Receiver) -> None:
    api.create_repo(repo_id)
    receiver.statuses = [500]
    api.create_webhook(url=receiver.url, watched=[WebhookWatchedItem("model", repo_id)], domains=["repo"])
    api.create_discussion(repo_id, "not for the domain repo")
    put(api, repo_id, "a.txt")
    assert receiver.next()[:2] == ("repo.content", "update")
    assert receiver.statuses == [] and receiver.heard.empty()


def test_webhooks_are_managed(person: Callable[..., HfApi], receiver: Receiver) -> None:
    mine, other = person(), person()
    user = mine.whoami()["name"]
    hook = mine.create_webhook(url="https://example.com/a", watched=[{"type": "org", "name": "x"}], secret="a")
    assert [found.id for found in mine.list_webhooks()] == [hook.id]
    with pytest.raises(HfHubHTTPError, match="no webhook"):
        other.get_webhook(hook.id)
    changed = mine.update_webhook(hook.id, url=receiver.url, watched=[{"type": "user", "name": user}])
    assert (changed.url, changed.secret, changed.domains) == (receiver.url, "a", ["repo", "discussion"])
    assert mine.disable_webhook(hook.id).disabled
    mine.create_repo("unheard")
    assert not mine.enable_webhook(hook.id).disabled
    mine.create_repo("heard")
    assert receiver.next()[2].repo.name == f"{user}/heard"
    mine.delete_webhook(hook.id)
    with pytest.raises(HfHubHTTPError, match="no webhook"):
        mine.get_webhook(hook.id)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://user@host/", "ftp://host/", "http://", "http://a b/"])
def test_addresses_that_are_refused(api: HfApi, url: str) -> None:
    with pytest.raises(HfHubHTTPError, match="Bad request"):
        api.create_webhook(url=url, watched=[{"type": "user", "name": "local"}])


def test_jobs_are_refused(api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError, match="url"):
        api.create_webhook(job_id="x", watched=[{"type": "user", "name": "local"}])
