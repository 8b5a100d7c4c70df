from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from pipelines.filters.apply_rules import RULES
from tests.bench.endpoint.loopback import Loopback, loopback
from tests.limits import limits
from tests.pipelines.endpoint.teacher_server import KEY, MODEL

QUICK = {"median": 0.001, "p99": 0.002}
LIMITS = limits(gated=False)


def ask(server: Loopback, product: str, *, key: str = KEY, timeout: float = 5, **parameters: object) -> list[str]:
    """The contents of an answer; HTTPError and URLError are the caller's."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": f"상품: {product}"}], **parameters}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = Request(f"{server.url}/chat/completions", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=timeout) as answer:
        return [choice["message"]["content"] for choice in json.load(answer)["choices"]]


def broken(line: str) -> bool:
    """Whether a rule rejects it. `leak` would load a tokenizer, and is seen to when the words are chosen."""
    row = {"product": "모카포트", "values": ["여유"], "ad_copy": line}
    return any(RULES[name](row, LIMITS) for name in ("format", "length", "script"))


def copies_format(**copies: object) -> dict:
    schema = {"type": "object", "properties": {"copies": {"type": "array", "items": {"type": "string"}, **copies}}}
    return {"type": "json_schema", "json_schema": {"name": "copies", "schema": schema}}


def test_the_same_body_gets_the_same_lines_from_every_server():
    answers = []
    for seed in (1, 2):
        with loopback(**QUICK, seed=seed) as server:
            answers.append([ask(server, str(number)) for number in range(50)])
            answers.append([ask(server, str(number)) for number in range(50)])
            stats = server.stats()
            assert (stats["received"], stats["completed"], stats["distinct_bodies"]) == (100, 100, 50)
    assert all(answer == answers[0] for answer in answers)
    lines = [line for (line,) in answers[0]]
    assert len(set(lines)) == 50
    assert all(12 <= len(line.replace(" ", "")) <= 30 for line in lines)
    assert not [line for line in lines if broken(line)]


def test_a_schema_and_choices_say_how_many_lines():
    with loopback(**QUICK) as server:
        assert len(set(ask(server, "모카포트", n=3))) == 3
        (content,) = ask(server, "모카포트", response_format=copies_format(minItems=4, maxItems=4))
        assert len(set(json.loads(content)["copies"])) == 4
        (content,) = ask(server, "모카포트", response_format=copies_format(description="카피 5개"))
        assert len(set(json.loads(content)["copies"])) == 5
        contents = ask(server, "모카포트", n=2, response_format=copies_format(maxItems=4))
        assert [len(json.loads(content)["copies"]) for content in contents] == [1, 1]


def test_unaccepted_lines_break_the_format():
    with loopback(**QUICK, accept=0.7) as server:
        lines = [line for number in range(10) for line in ask(server, str(number), n=100)]
    assert 250 < sum(map(broken, lines)) < 350


def test_the_key_is_required():
    with loopback(**QUICK) as server:
        with pytest.raises(HTTPError, match="401"):
            ask(server, "모카포트", key="sk-wrong")
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"{server.url}/models", timeout=1)
        request = Request(f"{server.url}/models", headers={"Authorization": f"Bearer {KEY}"})
        with urlopen(request, timeout=1) as answer:
            assert json.load(answer)["data"][0]["id"] == MODEL
        assert server.stats()["received"] == 0


def test_faults_come_in_their_shares_and_a_retry_may_succeed():
    def outcome(number: int) -> str:
        try:
            return ask(server, str(number % 100))[0]
        except HTTPError as error:
            return f"{error.code} {error.headers['Retry-After']}"
        except (URLError, ConnectionError):
            return "reset"

    shares = {"limits": 0.2, "errors": 0.1, "resets": 0.1, "garbage": 0.1}
    with loopback(**QUICK, **shares) as server, ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, range(1000)))
        stats = server.stats()
    assert {name: outcomes.count(name) for name in ("429 0.2", "500 None", "reset")} == {
        "429 0.2": stats["faults"]["limits"],
        "500 None": stats["faults"]["errors"],
        "reset": stats["faults"]["resets"],
    }
    assert all(abs(stats["faults"][name] - 1000 * part) < 40 for name, part in shares.items())
    garbage = {'{"copies": [', "", "asdf"}
    assert garbage < set(outcomes)
    failures = garbage | {"429 0.2", "500 None", "reset"}
    products = [set(outcomes[number::100]) for number in range(100)]
    assert {len(found - failures) for found in products} <= {0, 1}
    assert sum(bool(found & failures) and bool(found - failures) for found in products) > 90
    assert stats["received"] == 1000 and 1 < stats["peak"] <= 8


def test_a_hanging_request_is_never_answered():
    with loopback(**QUICK, hangs=1.0) as server:
        with pytest.raises(TimeoutError):
            ask(server, "모카포트", timeout=0.2)
        stats = server.stats()
    assert (stats["received"], stats["completed"], stats["faults"]) == (1, 0, {"hangs": 1})
