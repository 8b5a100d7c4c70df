"""What endpoints say of an error, in the shapes of their servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.endpoint.answers.error_bodies import Said, read_error

SEED = "Unsupported parameter: seed"
EXTRA = {"type": "extra_forbidden", "loc": ["body", "seed"]}
SHAPES: dict[str, tuple[Any, str, str]] = {
    "OpenAI": ({"error": {"message": SEED, "type": "bad", "param": "seed", "code": None}}, SEED, "seed"),
    "without a message": ({"detail": [EXTRA]}, "seed: extra_forbidden", "seed"),
    "FastAPI": (
        {"detail": [{**EXTRA, "msg": "Extra inputs are not permitted", "input": 7}]},
        "seed: Extra inputs are not permitted",
        "seed",
    ),
    "FastAPI, within": (
        {"detail": [{**EXTRA, "loc": ["body", "tools", 0, "name"]}]},
        "tools.0.name: extra_forbidden",
        "tools",
    ),
    "detail": ({"detail": SEED}, SEED, ""),
    "error": ({"error": SEED}, SEED, ""),
    "message": ({"message": SEED}, SEED, ""),
    "vLLM before": (
        {"object": "error", "message": SEED, "type": "BadRequestError", "param": None, "code": 400},
        SEED,
        "",
    ),
    "Mistral": ({"object": "error", "message": {"detail": [EXTRA]}}, "seed: extra_forbidden", "seed"),
    "errors": ({"errors": [{"code": 7, "message": SEED}], "success": False}, SEED, ""),
    "errors in words": ({"errors": [SEED, "and more"]}, f"{SEED}; and more", ""),
    "Google": (
        [{"error": {"code": 400, "message": SEED, "status": "INVALID_ARGUMENT"}}],
        f"{SEED}; INVALID_ARGUMENT",
        "",
    ),
    "NestJS": ({"statusCode": 400, "error": "Bad Request", "message": [SEED]}, f"Bad Request; {SEED}", ""),
    "RFC 9457": ({"title": "Bad Request", "detail": SEED, "status": 400}, f"{SEED}; Bad Request", ""),
    "said twice": ({"error": {"message": f"400: {SEED}"}, "message": SEED}, f"400: {SEED}", ""),
    "OpenRouter": (
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": json.dumps({"error": {"message": SEED}})},
            }
        },
        f"Provider returned error; {SEED}",
        "",
    ),
    "Naver": ({"status": {"code": "40001", "message": SEED}, "result": None}, SEED, ""),
    "Kakao": ({"msg": SEED, "code": -2}, SEED, ""),
    "AWS": ({"Message": SEED}, SEED, ""),
    "text": (SEED, SEED, ""),
    "page": ("<html><title>400 Bad Request</title></html>", "an HTML page titled “400 Bad Request”", ""),
    "page within": ({"error": "<html><title>502</title>"}, "an HTML page titled “502”", ""),
    "nothing": ("", "nothing", ""),
    "unknown": ({"ok": False}, '{"ok": false}', ""),
    "null": (None, "null", ""),
}


@pytest.mark.field
@pytest.mark.parametrize(("body", "message", "param"), SHAPES.values(), ids=SHAPES.keys())
def test_message_and_parameter_of(body: Any, message: str, param: str) -> None:
    said = read_error(body)
    assert (said.message, said.param) == (message, param)


@pytest.mark.field
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "filtered", "code": "content_filter"}},
        {"error": {"message": "filtered", "code": "content_policy_violation"}},
        {"error": {"message": "no", "code": "BadRequest", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
    ],
)
def test_a_content_filter_is_known_by_its_code(body: Any) -> None:
    assert read_error(body).is_filtered


def test_the_length_of_a_context_is_no_filter() -> None:
    said = read_error({"error": {"message": "the content filter let it pass", "code": "context_length_exceeded"}})
    assert not said.is_filtered
    assert said == Said("the content filter let it pass", "", "context_length_exceeded")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "detail", "message", "loc", "msg", "code", "param", "raw"]), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_body_says_something(body: Any) -> None:
    said = read_error(body)
    assert said.message and isinstance(said.param, str) and isinstance(said.code, str)


def test_a_body_that_is_deeper_than_any_is_read() -> None:
    body: Any = "deep"
    for _ in range(500):
        body = {"error": body}
    assert read_error(body).message
