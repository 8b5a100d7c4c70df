"""The Hub of a command, and what stands in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import HanjulError
from scripts.hub.session import hub_session
from scripts.local_hub.errors import LocalHubError
from tests.command import ROOT


def test_a_local_hub_that_cannot_start_is_a_known_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "file"
    home.write_text("")
    monkeypatch.setenv("HANJUL_HOME", str(home))
    with pytest.raises(HanjulError, match="cannot use its store") as caught, hub_session(local=True):
        pass
    assert caught.value.where == str(home / "hub")
    assert caught.value.next_step == "free some space or choose a folder that you can write"
    assert isinstance(caught.value.__cause__, LocalHubError)


GONE = """
import os, signal, time
from pathlib import Path
from scripts.core.settings import ImportSettings
from scripts.hub.session import hub_session
with hub_session(local=True) as hub:
    import json
    os.kill(json.loads((Path(os.environ["HANJUL_HOME"]) / "hub" / "server.json").read_text())["pid"], signal.SIGKILL)
    from scripts.stages import import_rows
    began = time.monotonic()
    try:
        import_rows.run(hub, hub.repo("dataset", "x"), ImportSettings(), 1)
    except Exception as error:
        print(type(error).__name__, error, f"{time.monotonic() - began:.0f} s", sep="|")
"""


@pytest.mark.field
def test_a_local_hub_that_has_gone_is_missed_at_once(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    child = subprocess.run(
        [sys.executable, "-c", GONE],
        env=environment | {"HANJUL_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    name, message, seconds = child.stdout.strip().split("|")
    assert name == "HanjulError" and message.startswith("The Hub cannot be reached"), child.stderr
    assert int(seconds.split()[0]) <= 5
