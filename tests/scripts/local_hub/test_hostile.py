"""Requests that no good client sends: never 5xx, never a byte from outside the repo, nothing outside the store."""

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from huggingface_hub import HfApi
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scripts.local_hub.lifecycle import Endpoint

REPO = "hostile/repo"
Answer = tuple[int, dict[str, str], bytes]

hostile_text = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["..", ".", "", "a", "%2e%2e", "\\", ".git", "\0", "~", "C:", "etc", "passwd", "가"]),
        max_size=8,
    ).map("/".join),
)


def send(
    endpoint: Endpoint, method: str, path: str, body: bytes | None = None, *, token: bool = True, **headers: str
) -> Answer:
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    if token:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    got = answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    connection.close()
    return got


def commit(endpoint: Endpoint, *operations: dict[str, object]) -> Answer:
    lines = [{"key": "header", "value": {"summary": "s"}}, *operations]
    body = b"\n".join(json.dumps(line).encode() for line in lines)
    return send(endpoint, "POST", f"/api/models/{REPO}/commit/main", body)


@pytest.fixture(scope="module")
def served(endpoint: Endpoint) -> Iterator[Endpoint]:
    HfApi(endpoint=endpoint.url, token=endpoint.token).create_repo(REPO, exist_ok=True)
    yield endpoint


def outside(store: Path) -> set[Path]:
    """Every file that is neither the database's nor a blob named by its own hash."""
    known = {"id", "token", "lock", "server.json", "hub.sqlite", "hub.sqlite-wal", "hub.sqlite-shm"}
    return {
        path
        for path in store.parent.rglob("*")
        if path.is_file()
        and store in path.parents
        and path.name not in known
        and (path.parent.parent.name != "blobs" or hashlib.sha256(path.read_bytes()).hexdigest() != path.name)
        and not re.fullmatch(r"xet/[0-9a-f]{8}/[0-9a-f]{64}\.index", path.relative_to(store).as_posix())
    }


@pytest.fixture(scope="module")
def nothing_escapes(scratch: Path, served: Endpoint) -> Iterator[None]:
    before = {path for path in scratch.rglob("*") if path.is_file()}
    yield
    store = scratch / "session-hub"
    new = {path for path in scratch.rglob("*") if path.is_file()} - before
    assert not {path for path in new if store not in path.parents}
    assert not outside(store)


relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(path=hostile_text)
@example(path="../../../../../../etc/passwd")
@example(path="\ud800")
def test_committed_paths(served: Endpoint, nothing_escapes: None, path: str):
    content = base64.b64encode(b"x").decode()
    status, headers, _ = commit(
        served, {"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}}
    )
    parts = path.split("/")
    if ".." in parts or "" in parts or "." in parts:
        assert status == 422
    assert status in (200, 422)
    if status == 200:
        assert send(served, "GET", f"/{REPO}/resolve/main/{quote(path)}")[2] == b"x"
    else:
        assert headers["x-error-code"] == "InvalidPath"


@relaxed
@given(
    path=hostile_text,
    kind=st.sampled_from(["resolve/main", "resolve", "tree/main", "blob/main", "commit", ""]),
    raw=st.booleans(),
)
@example(path="../../../../../../../../etc/passwd", kind="resolve/main", raw=True)
@example(path="..%2f..%2f..%2f..%2fetc%2fpasswd", kind="resolve/main", raw=True)
def test_requested_paths(served: Endpoint, path: str, kind: str, raw: bool):
    sent = path.encode("utf-8", "replace").decode()
    sent = quote(sent, safe="/%.\\~:") if raw else quote(sent, safe="")
    for prefix in ("/", "/api/models/"):
        status, headers, body = send(served, "GET", f"{prefix}{REPO}/{kind}/{sent}", token=False)
        assert status < 500
        assert b"root:" not in body
        assert served.token.encode() not in body
        if status in (401, 404):
            assert headers["x-error-code"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
bodies = st.one_of(
    st.binary(max_size=60),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            name: json_values
            for name in (
                "name",
                "organization",
                "type",
                "title",
                "namespace",
                "files",
                "tag",
                "key",
                "value",
                "content",
                "objects",
                "operation",
                "fromRepo",
                "toRepo",
                "item",
                "oid",
                "size",
            )
        },
    ).map(lambda value: json.dumps(value).encode()),
)
routes = st.sampled_from(
    [
        ("POST", "/api/repos/create"), ("DELETE", "/api/repos/delete"), ("POST", "/api/repos/move"),
        ("PUT", f"/api/models/{REPO}/settings"), ("POST", f"/api/models/{REPO}/commit/main"),
        ("POST", f"/api/models/{REPO}/preupload/main"), ("POST", f"/api/models/{REPO}/paths-info/main"),
        ("POST", f"/api/models/{REPO}/branch/b"), ("POST", f"/api/models/{REPO}/tag/main"),
        ("POST", f"/{REPO}.git/info/lfs/objects/batch"), ("POST", "/api/local-hub/lfs/verify"),
        ("PUT", "/api/local-hub/lfs/" + "0" * 64 + "?size=1&signature=é"), ("POST", "/api/validate-yaml"),
        ("POST", "/api/collections"), ("POST", f"/api/spaces/{REPO}/secrets"), ("PATCH", "/api/collections/a/b"),
        ("POST", f"/api/models/{REPO}/discussions"), ("GET", f"/api/models/{REPO}/xet-write-token/main"),
        ("POST", f"/api/models/{REPO}/discussions/1/comment"), ("POST", f"/api/models/{REPO}/discussions/1/merge"),
        ("GET", "/api/models?limit=0&cursor=-1"), ("GET", f"/api/models/{REPO}/commits/main?cursor=" + "9" * 20),
    ]
)  # fmt: skip


@relaxed
@given(route=routes, body=bodies, token=st.booleans())
@example(route=("POST", "/api/repos/create"), body=b'{"name": "\\ud800"}', token=True)
@example(route=("POST", f"/api/models/{REPO}/commit/main"), body=b"[" * 100_000, token=True)
@example(route=("POST", "/api/validate-yaml"), body=b"[" * 100_000, token=True)
def test_bodies(served: Endpoint, route: tuple[str, str], body: bytes, token: bool):
    method, path = route
    status, headers, answer = send(
        served, method, quote(path, safe="/?&="), body, token=token, Content_Type="application/json"
    )
    assert status < 500 and status not in (408, 429), answer
    if status >= 400:
        assert headers["x-error-code"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "localhost@evil.example"])
def test_foreign_hosts(served: Endpoint, host: str):
    status, headers, _ = send(served, "GET", "/", Host=host)
    assert (status, headers.get("x-error-code")) == (400, "BadHost")


@pytest.mark.parametrize("host", ["localhost:8710", "127.0.0.1", "[::1]:80"])
def test_loopback_hosts(served: Endpoint, host: str):
    assert send(served, "GET", "/", Host=host)[0] == 200


def test_lfs_uploads_are_verified(served: Endpoint):
    content = b"weights"
    oid = hashlib.sha256(content).hexdigest()
    body = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}).encode()
    batch = f"/{REPO}.git/info/lfs/objects/batch"
    lfs = {"Content_Type": "application/vnd.git-lfs+json"}
    href = json.loads(send(served, "POST", batch, body, **lfs)[2])["objects"][0]["actions"]["upload"]["href"]
    href = href.removeprefix(served.url)
    pointer = {"key": "lfsFile", "value": {"path": "w.bin", "algo": "sha256", "oid": oid, "size": len(content)}}
    assert send(served, "PUT", href, b"weighty", token=False)[0] == 400
    assert send(served, "PUT", href, content + b"!", token=False)[0] == 400
    assert send(served, "PUT", href.replace("size=7", "size=8"), content, token=False)[0] == 403
    assert commit(served, pointer)[0] == 400
    assert send(served, "PUT", href, content, token=False)[0] == 200
    assert "actions" not in json.loads(send(served, "POST", batch, body, **lfs)[2])["objects"][0]
    wrong = {"key": "lfsFile", "value": pointer["value"] | {"size": 8}}
    assert commit(served, wrong)[0] == 400
    assert commit(served, pointer)[0] == 200
    assert send(served, "GET", f"/{REPO}/resolve/main/w.bin")[2] == content


@pytest.mark.parametrize(
    "card", ["---\n: [\n---\n", "---\n- a\n---\n", "---\na: &a [*a]\n---\n", "---\ntags: x\n---\n"]
)
def test_bad_cards_are_refused(served: Endpoint, card: str):
    readme = {"path": "README.md", "content": card, "encoding": "utf-8"}
    status, headers, _ = commit(served, {"key": "file", "value": readme})
    assert status == 400
    assert headers["x-error-message"].startswith("Invalid metadata in README.md")


def test_pages_are_escaped(served: Endpoint):
    script = "<script>alert(1)</script>"
    commit(served, {"key": "file", "value": {"path": "README.md", "content": f"# 한 줄 {script}", "encoding": "utf-8"}},
           {"key": "file", "value": {"path": "<b>.txt", "content": "x", "encoding": "utf-8"}})  # fmt: skip
    for path in ("/", f"/{REPO}", f"/{REPO}/tree/main"):
        status, headers, body = send(served, "GET", path, token=False)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"<script" not in body and b"<b>" not in body
    assert "한 줄" in send(served, "GET", f"/{REPO}")[2].decode()
    assert send(served, "GET", f"/{REPO}/blob/main/%3Cb%3E.txt")[1]["location"] == f"/{REPO}/resolve/main/%3Cb%3E.txt"
    raw = send(served, "GET", f"/{REPO}/resolve/main/README.md")[1]
    assert raw["content-type"].startswith("text/plain") and "sandbox" in raw["content-security-policy"]
