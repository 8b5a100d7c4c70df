"""What GitHub reads: the workflow runs the same CI as anyone, and the issue forms are ones that it accepts."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.docs.markdown import ROOT

GITHUB = ROOT / ".github"
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
#: Kind of a form's element -> the attributes that it must have (docs.github.com, "Syntax for GitHub's form schema").
ELEMENTS = {
    "markdown": {"value"},
    "input": {"label"},
    "textarea": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}


def load(path: Any) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict), path
    return content


def test_the_workflow_runs_ci() -> None:
    workflow = load(GITHUB / "workflows" / "ci.yml")
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads `on` as true
    (job,) = workflow["jobs"].values()
    assert job["timeout-minutes"] <= 90
    assert job["steps"][-1] == {"run": "bash .ci/run"}
    assert (ROOT / ".ci" / "run").is_file()


def test_the_workflow_has_the_python_that_the_makefile_asks_for() -> None:
    (job,) = load(GITHUB / "workflows" / "ci.yml")["jobs"].values()
    (setup,) = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@")]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"PYTHON ?= python{setup['python-version']}\n" in makefile
    for name in setup["cache-dependency-path"].split():
        assert (ROOT / name).is_file(), name


def test_the_three_forms_are_there() -> None:
    assert [path.stem for path in FORMS] == ["bad-file", "bug", "wrong-line"]
    assert load(GITHUB / "ISSUE_TEMPLATE" / "config.yml") == {"blank_issues_enabled": True}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_is_one_that_github_accepts(path: Any) -> None:
    form = load(path)
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "title", "labels"}
    asked = [element for element in form["body"] if element["type"] != "markdown"]
    assert asked, "a form asks something"
    ids = [element["id"] for element in asked]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", name) for name in ids)
    for element in form["body"]:
        assert set(element) <= {"type", "id", "attributes", "validations"}
        assert ELEMENTS[element["type"]] <= set(element["attributes"])
        options = element["attributes"].get("options", [])
        assert len(set(options)) == len(options)
        assert all(isinstance(value, bool) for value in element.get("validations", {}).values())


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_in_korean_and_english(path: Any) -> None:
    form = load(path)
    for text in [form["name"], form["description"], *(e["attributes"].get("label", "한 a") for e in form["body"])]:
        assert "doctor" in text or (re.search("[가-힣]", text) and re.search("[a-z]", text)), text
