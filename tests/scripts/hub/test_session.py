"""The Hub of a command, and what stands in its way."""

from pathlib import Path

import pytest

from pipelines.errors import HanjulError
from scripts.hub.session import hub_session
from scripts.local_hub.errors import LocalHubError


def test_a_local_hub_that_cannot_start_is_a_known_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "file"
    home.write_text("")
    monkeypatch.setenv("HANJUL_HOME", str(home))
    with pytest.raises(HanjulError, match="cannot use its store") as caught, hub_session(local=True):
        pass
    assert caught.value.where == str(home / "hub")
    assert caught.value.next_step == "free some space or choose a folder that you can write"
    assert isinstance(caught.value.__cause__, LocalHubError)
