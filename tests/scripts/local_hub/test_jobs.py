"""Jobs through the real client: recorded whole, refused as the Hub refuses, run by nobody."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import HfApi, JobHardware
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

from scripts.local_hub.routes.jobs import Flavor

JOB: dict[str, Any] = {"image": "python:3.12", "command": ["python", "-c", "print(1)"], "namespace": "team"}


def test_a_job_is_recorded_without_its_secrets(api: HfApi) -> None:
    secrets = {"HF_TOKEN": "hf_planted"}
    started = api.run_job(**JOB, env={"A": "1"}, secrets=secrets, flavor="a10g-small", timeout="90m", name="try")
    assert started.url == f"{api.endpoint}/jobs/team/{started.id}"
    found = api.inspect_job(job_id=started.id, namespace="team")
    assert found == started
    assert (found.docker_image, found.command, found.flavor) == ("python:3.12", JOB["command"], "a10g-small")
    assert (found.environment, found.secrets, found.labels) == ({"A": "1"}, {"HF_TOKEN": None}, {"name": "try"})
    assert (found.status.stage, found.owner.name) == ("SCHEDULING", "team")
    assert found.status.message == "Recorded. The local Hub runs no jobs."


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"flavor": "a10g-tiny"}, "flavor"),
        ({"command": []}, "command"),
        ({"env": {"1 A": "x"}}, "environment"),
        ({"labels": {"name": "two words"}}, "labels"),
        ({"timeout": -1}, "timeoutSeconds"),
        ({"ssh": True}, "ssh"),
        ({"namespace": "a..b"}, "Invalid repo id"),
    ],
)
def test_what_the_hub_refuses_is_refused(api: HfApi, wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequestError, match=named):
        api.run_job(**JOB | wrong)


def test_strangers_and_unknown_jobs(api: HfApi, anonymous: HfApi) -> None:
    with pytest.raises(HfHubHTTPError, match="401"):
        anonymous.run_job(**JOB)
    with pytest.raises(HfHubHTTPError, match="No such job: team/none"):
        api.inspect_job(job_id="none", namespace="team")


def test_every_machine_that_the_client_knows_is_known() -> None:
    assert set(Flavor.__args__) == {machine.value for machine in JobHardware}  # type: ignore[attr-defined]
