"""Starting, sharing, stopping and killing the server; what is committed survives all of it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from scripts.local_hub.errors import LocalHubError, StoreInUse
from scripts.local_hub.lifecycle import running
from scripts.local_hub.server import serve
from tests.scripts.local_hub.conftest import ROOT, clean_environment


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed orphan may wait for its reaper.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def server_pid(store: Path) -> int:
    return int(json.loads((store / "server.json").read_text())["pid"])


def test_data_persists(tmp_path: Path):
    with running(tmp_path / "hub") as first:
        api = HfApi(endpoint=first.url, token=first.token)
        api.create_repo("a/b", private=True)
        sha = api.upload_file(path_or_fileobj=b"\0x", path_in_repo="f.bin", repo_id="a/b").oid
        pid = server_pid(tmp_path / "hub")
    assert not alive(pid)
    assert not (tmp_path / "hub" / "server.json").exists()
    with running(tmp_path / "hub") as second:
        assert second.token == first.token
        assert HfApi(endpoint=second.url, token=second.token).model_info("a/b").sha == sha


def test_the_store_is_private(tmp_path: Path):
    with running(tmp_path / "hub"):
        assert (tmp_path / "hub").stat().st_mode & 0o77 == 0
        assert (tmp_path / "hub" / "token").stat().st_mode & 0o777 == 0o600


def test_a_live_server_is_reused_and_outlives_its_starter(tmp_path: Path):
    starter = running(tmp_path)
    first = starter.__enter__()
    with running(tmp_path, port=1) as second:
        assert second == first
        pid = server_pid(tmp_path)
        leaving = threading.Thread(target=starter.__exit__, args=(None, None, None))
        leaving.start()
        time.sleep(0.5)
        assert HfApi(endpoint=second.url, token=second.token).whoami()["name"] == "local"
    leaving.join()
    assert not alive(pid)


def test_racing_starters_share_one_server(tmp_path: Path):
    found = []
    barrier = threading.Barrier(4)

    def use() -> None:
        barrier.wait()
        with running(tmp_path) as endpoint:
            found.append(endpoint)
            barrier.wait()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_the_child_ends_with_a_killed_parent(tmp_path: Path):
    script = (
        "import sys, time; from pathlib import Path; from scripts.local_hub.lifecycle import running\n"
        "with running(Path(sys.argv[1])) as endpoint: print(endpoint.url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "hub")], env=clean_environment(tmp_path), stdout=subprocess.PIPE
    )
    assert parent.stdout and parent.stdout.readline().startswith(b"http://127.0.0.1:")
    child = server_pid(tmp_path / "hub")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not alive(child))


def foreground(store: Path, home: Path) -> tuple[subprocess.Popen[str], str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "scripts.local_hub", "--store", str(store), "--port", "0"],
        cwd=ROOT, env=clean_environment(home), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout
    return server, server.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: signal.Signals):
    server, url = foreground(tmp_path / "hub", tmp_path)
    assert url.startswith("http://127.0.0.1:")
    server.send_signal(number)
    assert server.wait(10) == 0
    assert not (tmp_path / "hub" / "server.json").exists()


def test_sigkill_loses_nothing_committed(tmp_path: Path):
    """Kill the server in the middle of a stream of commits: every acknowledged commit is whole, none is half there."""
    store = tmp_path / "hub"
    server, url = foreground(store, tmp_path)
    token = (store / "token").read_text()
    api = HfApi(endpoint=url, token=token)
    api.create_repo("a/b")
    acknowledged: list[tuple[str, int]] = []

    def write() -> None:
        for number in range(1000):
            content = b"\0" + number.to_bytes(4) * 1000
            operations = [CommitOperationAdd("w.bin", content), CommitOperationAdd("n.txt", b"%d" % number)]
            with contextlib.suppress(httpx2.TransportError):  # of the kill
                acknowledged.append((api.create_commit("a/b", operations, commit_message=str(number)).oid, number))
            if server.poll() is not None:
                return

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(acknowledged) >= 5)
    server.send_signal(signal.SIGKILL)
    server.wait()
    with running(store, port=int(url.rsplit(":", 1)[1])):
        writer.join(30)  # retries of the client find the new server at the old port
        assert not writer.is_alive()
        history = api.list_repo_commits("a/b")
        assert {sha for sha, _ in acknowledged} <= {commit.commit_id for commit in history}
        for commit in history[:-1]:
            for path, expected in (
                ("n.txt", commit.title.encode()),
                ("w.bin", b"\0" + int(commit.title).to_bytes(4) * 1000),
            ):
                got = api.hf_hub_download("a/b", path, revision=commit.commit_id, cache_dir=tmp_path / "cache")
                assert Path(got).read_bytes() == expected
    assert not list((store / "blobs" / "partial").iterdir())


def test_a_failed_commit_leaves_nothing(tmp_path: Path):
    with running(tmp_path) as endpoint:
        api = HfApi(endpoint=endpoint.url, token=endpoint.token)
        api.create_repo("a/b")
        before = api.model_info("a/b").sha
        for bad in ("../x", "a//b"):
            operation = CommitOperationAdd("ok.txt", b"x")
            operation.path_in_repo = bad
            with pytest.raises(Exception, match="422"):
                api.create_commit("a/b", [CommitOperationAdd("fine", b"y"), operation], commit_message="no")
        assert api.model_info("a/b").sha == before


def test_errors_say_what_where_and_what_next(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalHubError, match="cannot listen") as caught, running(tmp_path / "hub", port):
            pass
        assert caught.value.where == f"127.0.0.1:{port}"
        assert "--port" in caught.value.next_step
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalHubError, match="cannot use its store") as caught, running(tmp_path / "file" / "hub"):
        pass
    assert caught.value.next_step
    with running(tmp_path / "hub"), pytest.raises(StoreInUse):
        serve(tmp_path / "hub", 0)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "hub.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(LocalHubError, match="cannot use its store"), running(tmp_path / "broken"):
        pass


def test_a_full_disk_is_told_at_once(tmp_path: Path):
    """A limit on the size of files stands for a full disk; the client must get 413 instead of retrying."""
    resource = pytest.importorskip("resource")
    server = subprocess.Popen(
        [sys.executable, "-m", "scripts.local_hub", "--store", str(tmp_path / "hub"), "--port", "0"],
        cwd=ROOT,
        env=clean_environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)),
    )
    assert server.stdout
    api = HfApi(endpoint=server.stdout.readline().strip(), token=(tmp_path / "hub" / "token").read_text())
    api.create_repo("a/b")
    with pytest.raises(RuntimeError) as caught:
        api.upload_file(path_or_fileobj=b"\0" * 20_000_000, path_in_repo="w.bin", repo_id="a/b")
    assert "413" in str(caught.value.__cause__)
    assert "No space left" in str(caught.value.__cause__)
    api.upload_file(path_or_fileobj=b"small", path_in_repo="s.txt", repo_id="a/b")
    assert not list((tmp_path / "hub" / "blobs" / "partial").iterdir())
    server.terminate()
    assert server.wait(10) == 0


def test_a_client_that_leaves_makes_no_noise(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    with running(tmp_path) as endpoint:
        api = HfApi(endpoint=endpoint.url, token=endpoint.token)
        api.create_repo("a/b")
        with socket.create_connection(("127.0.0.1", int(endpoint.url.rsplit(":", 1)[1]))) as line:
            line.sendall(
                f"POST /api/models/a/b/commit/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n"
                f"Authorization: Bearer {endpoint.token}\r\n\r\n{{".encode()
            )
            time.sleep(0.2)
        assert len(api.list_repo_commits("a/b")) == 1
    assert "Traceback" not in capfd.readouterr().err


def test_commits_at_once(tmp_path: Path):
    with running(tmp_path) as endpoint:
        api = HfApi(endpoint=endpoint.url, token=endpoint.token)
        api.create_repo("a/b")
        parent = api.model_info("a/b").sha

        def write(name: str, expected: str | None) -> bool:
            try:
                operation = CommitOperationAdd(f"{name}.txt", name.encode())
                api.create_commit("a/b", [operation], commit_message=name, parent_commit=expected)
            except HfHubHTTPError as error:
                assert error.response.status_code == 412
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda number: write(f"race{number}", parent), range(8)))
            free = list(pool.map(lambda number: write(f"free{number}", None), range(8)))
        assert won.count(True) == 1
        assert all(free)
        assert len(api.list_repo_commits("a/b")) == 10
        assert len(api.list_repo_files("a/b")) == 10
