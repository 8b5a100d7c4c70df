"""Whether the model that answered is the one that was asked."""

import pytest

from pipelines.endpoint.answers.served_model import same_model


@pytest.mark.field
@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-5", "gpt-5"),
        ("gpt-5", "gpt-5-2026-01-01"),
        ("gpt-4", "gpt-4-0613"),
        ("claude-sonnet-4", "claude-sonnet-4-20250514"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("gemini-1.5-flash", "gemini-1.5-flash-002"),
        ("gemini-2.5-flash", "gemini-2.5-flash-preview-05-20"),
        ("mistral-small-latest", "mistral-small-2503"),
        ("Qwen/Qwen3-32B", "qwen3-32b"),
        ("Qwen/Qwen3-32B", "accounts/fireworks/models/qwen3-32b"),
        ("Qwen/Qwen3-32B", "Qwen/Qwen3-32B-AWQ"),
        ("Qwen/Qwen3-32B", "/srv/models/Qwen3-32B"),
        ("Qwen3-32B", "Qwen3-32B-Q4_K_M.gguf"),
        ("qwen3", "qwen3:latest"),
        ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1"),
        ("gpt-5", ""),
        ("gpt-5", "  "),
    ],
)
def test_another_name_of_the_same(asked: str, served: str) -> None:
    assert same_model(asked, served) and same_model(served, asked)


@pytest.mark.field
@pytest.mark.parametrize("served", ["/home/someone/EXAONE-4.0-32B-Q4_K_M.gguf", "C:\\models\\exaone.gguf", "./exaone"])
def test_the_file_that_a_server_has_loaded_is_no_other(served: str) -> None:
    assert same_model("teacher", served)


@pytest.mark.field
@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-5", "gpt-5-mini"),
        ("gpt-5", "gpt-5-mini-2026-01-01"),
        ("gpt-4", "gpt-4o"),
        ("gpt-4", "gpt-4-turbo"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("gpt-4-0613", "gpt-4-1106"),
        ("Qwen/Qwen3-32B", "Qwen/Qwen3-8B"),
        ("Qwen/Qwen3-32B", "LGAI-EXAONE/EXAONE-4.0-32B"),
        ("openrouter/auto", "anthropic/claude-sonnet-4"),
        ("qwen3:32b", "qwen3:8b"),
        ("my-deployment", "gpt-4o-2024-11-20"),
        ("llama-3.1-8b", "llama-3.1-8b-instruct"),
    ],
)
def test_another_model(asked: str, served: str) -> None:
    assert not same_model(asked, served) and not same_model(served, asked)
