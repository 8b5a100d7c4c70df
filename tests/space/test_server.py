"""What the server gives besides the API: the page, its state, feedback; and what it gives nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from web.routes import language_of

from tests.space.scripted import Engine, Feedback, make_settings, make_writer, press, serve, texts

SECRET = "hf_secretmarker"


@pytest.fixture(scope="module")
def feedback() -> Feedback:
    return Feedback()


@pytest.fixture(scope="module")
def url(feedback: Feedback, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", SECRET)
        patch.setattr("web.routes.ENDPOINT", "https://huggingface.co")
        with serve(make_writer(Engine()), tmp_path_factory.mktemp("page"), feedback=feedback) as address:
            yield address


@pytest.mark.parametrize(
    ("query", "accepted", "lang"),
    [
        ("", "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("", "en-GB,ko;q=0.5", "en"),
        ("", "fr-FR", "en"),
        ("", "fr,ko;q=0.5", "ko"),
        ("", "", "ko"),
        ("", "*", "ko"),
        ("?lang=en", "ko", "en"),
        ("?lang=ko", "en", "ko"),
        ("?lang=<script>", "ko", "ko"),
    ],
)
def test_the_page_is_there_in_the_visitors_language_before_any_script(
    url: str, query: str, accepted: str, lang: str
) -> None:
    page = httpx.get(f"{url}/{query}", headers={"Accept-Language": accepted})
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-language"] == lang
    description = {"ko": "한 줄 광고 카피를 씁니다.", "en": "writes one-line ad copy in Korean."}[lang]
    for piece in (
        f'<html lang="{lang}">',
        "<title>한 줄 &lt;카피&gt;</title>",
        'property="og:title" content="한 줄 &lt;카피&gt;"',
        f'{description}">',
    ):
        assert piece in page.text
    assert "{{" not in page.text and "gradio" not in page.text.lower()


def test_a_language_may_be_named_at_length() -> None:
    assert language_of("EN-us", "ko") == "en"


def test_nothing_is_loaded_from_elsewhere(url: str) -> None:
    page = httpx.get(url)
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"


def test_files_of_the_page(url: str) -> None:
    file = httpx.get(f"{url}/page/page.js")
    assert (file.text, file.headers["content-type"]) == ("export {};\n", "text/javascript; charset=utf-8")
    for name in ("absent.js", "index.html", "..%2fsettings.json", "%2e%2e/app.py", ""):
        assert httpx.get(f"{url}/page/{name}").status_code == 404
    assert httpx.head(url).status_code == httpx.head(f"{url}/page/page.js").status_code == 200


def test_state_and_facts(url: str) -> None:
    status = httpx.get(f"{url}/status").json()
    assert status == {
        "state": "ready",
        "message": {"ko": "모델이 준비됐습니다.", "en": "The model is ready."},
        "engine": "scripted",
        "can_compare": True,
        "feedback": True,
        "fields": [],
        "limits": {
            **{"product": 40, "value": 20, "values": 5, "option": 20, "like": 120},
            **{"count": [1, 8], "temperature": [0.1, 1.5]},
        },
        "footer": {
            "adapter": {"name": "a/b@0000000", "url": f"https://huggingface.co/a/b/tree/{'0' * 40}"},
            "base_model": {"name": "c/d", "url": "https://huggingface.co/c/d"},
            "dataset": None,
        },
        "warning": None,
        "examples": [{"product": "제습기", "values": ["뽀송함"]}],
    }


def test_fields_of_the_prompt_and_a_rating_under_the_base(tmp_path: Path) -> None:
    prompt_format = "상품: {product}\n가치: {values}\n말투: {tone}"
    settings = make_settings(prompt_format=prompt_format, rating={"adapter": 0.412, "base": 0.5}, adapter="/tmp/x/lora")
    engine = Engine()
    with serve(make_writer(engine, prompt_format=prompt_format), tmp_path, settings, Feedback(off=True)) as url:
        status = httpx.get(f"{url}/status").json()
        assert (status["fields"], status["feedback"]) == (["tone"], False)
        assert status["footer"]["adapter"] == {"name": "lora@0000000", "url": ""}
        assert "0.41" in status["warning"]["ko"] and "rated under its base model (0.50)" in status["warning"]["en"]
        *_, last = press(url, tone="다정하게")
        assert len(texts(last)) == 2
        assert engine.asked[0].chat[0]["content"] == "상품: 제습기\n가치: 뽀송함, 여유\n말투: 다정하게"
        *_, last = press(url, device="은유")
        assert last["state"] == "problem"
        answer = httpx.post(f"{url}/feedback", json={"kind": "like", "lang": "en"})
        assert (answer.status_code, answer.json()) == (422, {"message": "No feedback is collected here."})


def test_votes_are_kept(url: str, feedback: Feedback) -> None:
    vote = {"kind": "edit", "product": "우산", "values": ["든든함"], "line": "가", "edited": "나", "others": ["다"]}
    answer = httpx.post(f"{url}/feedback", json=vote | {"lang": "en", "surplus": 1})
    assert (answer.status_code, answer.content) == (204, b"")
    assert feedback.votes == [("edit", "우산", ["든든함"], "가", "나", ["다"], "en")]
    assert httpx.post(f"{url}/feedback", json={"kind": "like"}).status_code == 204
    assert feedback.votes[1] == ("like", None, None, None, "", (), "ko")  # what is wrong with it, `keep` says


@pytest.mark.parametrize("path", ["stop", "feedback"])
def test_broken_bodies_are_sentences(url: str, path: str) -> None:
    for body, status in (("{", 422), ("[]", 422), ("", 422), ('"' + "a" * 70_000, 413)):
        answer = httpx.post(f"{url}/{path}", content=body)
        assert answer.status_code == status and answer.json()["message"].endswith(".")
    assert httpx.post(f"{url}/stop", json={"job": ["a"]}).json() == {
        "message": "visit와 job은 64자까지의 글로 보내 주세요."
    }
    assert httpx.post(f"{url}/stop", json={}).status_code == 204


@pytest.mark.field
@pytest.mark.parametrize(
    "path",
    [
        *("upload", "upload_progress?upload_id=1", "file=/etc/passwd", "file/etc/passwd", "proxy=https://hf.space"),
        *("component_server", "reset", "run/write_copy", "api/write_copy", "deep_link?session_hash=1", "runs"),
        *("stream/1", "token", "user", "app_id", "login_check", "theme.css", "custom_component/1/2/3/4", "dev/reload"),
        *("vibe-edit", "vibe-code", "process_recording", "profiling/traces", "run-history/records"),
    ],
)
def test_routes_of_gradio_that_nobody_needs_are_not_there(url: str, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"):
        answer = httpx.request(method, f"{url}/gradio_api/{path}")
        assert answer.status_code == 404, method
    assert httpx.post(f"{url}/gradio_api/{path}").json() == {"message": "그런 주소는 없습니다."}


def test_other_pages_of_gradio_are_not_there(url: str) -> None:
    for path in (
        "docs",
        "redoc",
        "openapi.json",
        "monitoring",
        "manifest.json",
        "assets/index.js",
        "static/x",
        "login",
    ):
        assert httpx.get(f"{url}/{path}").status_code == 404
    assert httpx.get(f"{url}/robots.txt").status_code == 404


@pytest.mark.field
def test_large_uploads_end_early(url: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(2_000):
            sent.append(1)
            yield b"a" * 10_000

    sent: list[int] = []
    try:
        answer = httpx.post(f"{url}/gradio_api/call/write", content=endless())
        assert answer.status_code == 413
    except httpx.WriteError:
        pass  # the server has hung up
    assert httpx.get(f"{url}/status").status_code == 200


@pytest.mark.field
def test_no_secret_and_no_path_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = "".join(
        httpx.get(f"{url}/{path}").text
        for path in ("", "config", "status", "gradio_api/info", "gradio_api/openapi.json", "gradio_api/mcp/schema")
    )
    told += json.dumps(list(press(url)), ensure_ascii=False) + "".join(capsys.readouterr())
    assert "제습기" in told
    for secret in (SECRET, str(Path(__file__).parents[2]), str(Path.home())):
        assert secret not in told


def test_behind_a_proxy_under_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may strip the path or leave it; links of the page are relative."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/demo")
    headers = {"X-Forwarded-Host": "example.org", "X-Forwarded-Proto": "https"}
    with serve(make_writer(Engine()), tmp_path) as url:
        for base in (url, f"{url}/demo"):
            assert httpx.get(f"{base}/", headers=headers).status_code == 200
            assert httpx.get(f"{base}/status", headers=headers).json()["state"] == "ready"
            assert len(texts(list(press(base, headers=headers))[-1])) == 2
            assert httpx.get(f"{base}/gradio_api/upload").status_code == 404
        config: dict[str, Any] = httpx.get(f"{url}/config", headers=headers).json()
        assert config["root"] == "https://example.org/demo"
