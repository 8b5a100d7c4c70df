"""The READMEs of a merged model and of its GGUFs."""

import ast
import json
import re
from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from model_card.cards.exports import Gguf, Ggufs, Parity, Source, gguf_card, merged_card

ADAPTER = "hanjul-team/hanjul-gemma-3-270m-lora"
MERGED = Source(f"{ADAPTER}-merged", ADAPTER, "a" * 40, "google/gemma-3-270m", ("hanjul-team/hanjul-copy",), "gemma")
GGUF = replace(MERGED, repo_id=f"{ADAPTER}-gguf")
FILES = (
    Gguf("hanjul-gemma-3-270m-lora-Q8_0.gguf", "Q8_0", 291_544_224, 262_144, Parity(200, 0.9312, 0.01013, 1.0)),
    Gguf("hanjul-gemma-3-270m-lora-Q4_K_M.gguf", "Q4_K_M", 253_113_504, 262_144, Parity(200, 0.905, 0.01402, 0.995)),
    Gguf("hanjul-gemma-3-270m-lora-Q8_0-ko.gguf", "Q8_0-ko", 118_912_000, 16_384, Parity(200, 0.93, 0.012, 1.0)),
)
BASE = Gguf("hanjul-gemma-3-270m-lora-base-Q8_0-ko.gguf", "Q8_0-ko", 118_912_000, 16_384, Parity(200, 0.9, 0.03, 1.0))
GGUFS = Ggufs(FILES, BASE, {}, 262_144)
LIMITS = {
    "Q8_0": Parity(200, 0.85, 0.05, 0.99),
    "Q4_K_M": Parity(200, 0.75, 0.15, 0.99),
    "Q8_0-ko": Parity(200, 0.85, 0.1, 0.99),
}
SAMPLING = {"temperature": 0.7, "top_p": 0.95, "max_tokens": 40}
SHARED = {
    "language": "ko",
    "license": "gemma",
    "tags": ["hanjul", "ad-copy", "copywriting", "korean"],
    "pipeline_tag": "text-generation",
    "datasets": ["hanjul-team/hanjul-copy"],
}


def gguf() -> str:
    return gguf_card(GGUF, GGUFS, LIMITS, SAMPLING)


def test_the_hub_reads_the_metadata():
    assert ModelCard(merged_card(MERGED)).data.to_dict() == SHARED | {
        "library_name": "transformers",
        "base_model": "google/gemma-3-270m",
        "base_model_relation": "finetune",
    }
    assert ModelCard(gguf()).data.to_dict() == SHARED | {
        "library_name": "gguf",
        "base_model": ADAPTER,
        "base_model_relation": "quantized",
    }


def test_an_adapter_that_names_no_dataset_leaves_none():
    assert "datasets" not in ModelCard(merged_card(replace(MERGED, datasets=()))).data.to_dict()


@pytest.mark.parametrize(
    ("encoder_decoder", "auto_class", "task", "decoded"),
    [
        (False, "AutoModelForCausalLM", "text-generation", 'output[0, prompt["input_ids"].shape[1] :]'),
        (True, "AutoModelForSeq2SeqLM", "text2text-generation", "output[0],"),
    ],
)
def test_the_usage_is_python_of_the_models_kind(encoder_decoder, auto_class, task, decoded):
    text = merged_card(replace(MERGED, encoder_decoder=encoder_decoder))
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ast.parse(code)
    assert f'{auto_class}.from_pretrained("{ADAPTER}-merged")' in code
    assert decoded in code
    assert '{"role": "user", "content": "상품: 핸드크림\\n가치: 촉촉한"}' in code
    assert ModelCard(text).data.pipeline_tag == task


def test_files_and_parity_stand_in_tables():
    lines = gguf().splitlines()
    page = f"https://huggingface.co/{ADAPTER}-gguf/blob/main"
    assert [line for line in lines if line.startswith("| [`")] == [
        f"| [`{file.name}`]({page}/{file.name}) | {file.kind} | {size} MB | {tokens} |"
        for file, size, tokens in zip(
            (*FILES, BASE), ("292", "253", "119", "119"), ("262,144", "262,144", "16,384", "16,384"), strict=True
        )
    ]
    assert [line for line in lines if line.startswith(("| Q8_0", "| Q4_K_M"))] == [
        "| Q8_0 | 93.1% (≥ 85%) | 0.0101 (≤ 0.05) | 100.0% (≥ 99%) |",
        "| Q4_K_M | 90.5% (≥ 75%) | 0.0140 (≤ 0.15) | 99.5% (≥ 99%) |",
        "| Q8_0-ko | 93.0% (≥ 85%) | 0.0120 (≤ 0.1) | 100.0% (≥ 99%) |",
    ]


def test_the_request_is_json_in_a_shells_quotes():
    text = gguf()
    name = "hanjul-gemma-3-270m-lora-Q8_0-ko.gguf"
    assert f"llama-server --hf-repo {ADAPTER}-gguf --hf-file {name} --jinja --port 8080" in text
    (body,) = re.findall(r"-d '(.*)'\n", text)
    assert "'" not in body
    assert json.loads(body) == {
        "messages": [{"role": "user", "content": "상품: 핸드크림\n가치: 촉촉한"}],
        "temperature": 0.7,
        "top_p": 0.95,
        "max_tokens": 40,
    }


@pytest.mark.parametrize("text", [merged_card(MERGED), gguf()])
def test_adapter_revision_and_licence_are_named(text):
    assert f"https://huggingface.co/{ADAPTER}/tree/{'a' * 40}" in text
    assert "[Gemma Terms of Use](https://ai.google.dev/gemma/terms)" in text
    assert "Prohibited Use Policy" in text


def test_what_a_trimmed_file_loses_is_said():
    card = gguf()
    assert "**Q8_0-ko** is Q8_0 with 16,384 of the 262,144 tokens" in card
    assert "어휘 262,144개 가운데 한국어 카피에 필요한 16,384개만 남긴" in card
    assert "It is the base model without the adapter" in card


def test_a_kind_that_is_left_out_is_named():
    card = gguf_card(GGUF, Ggufs(FILES[:1], None, {"Q4_K_M": "kl 0.55 > 0.15"}, 262_144), LIMITS, SAMPLING)
    assert "올리지 않은 형식 · not published: Q4_K_M (kl 0.55 > 0.15)" in card
    assert "Q4_K_M.gguf" not in card and "base model without" not in card and "Q8_0-ko" not in card
