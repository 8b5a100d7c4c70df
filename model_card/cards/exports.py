"""The README of a merged model and of its GGUFs: facts through templates, metadata through huggingface_hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from huggingface_hub import ModelCardData

from model_card.cards.card import environment
from model_card.cards.licences import licence_of
from pipelines import rows

_TAGS = ["hanjul", "ad-copy", "copywriting", "korean"]
_EXAMPLE = rows.user_message("핸드크림", ["촉촉한"])


@dataclass(frozen=True)
class Source:
    """What was exported.

    Attributes:
        repo_id: the repo that the export goes to.
        adapter, adapter_revision: repo id and commit sha of the adapter.
        base_model: repo id of its base.
        datasets: repo ids of the training data, as the adapter's card names them.
        licence: Hub identifier, as the adapter's card has it.
        encoder_decoder: whether the prompt goes to an encoder.
    """

    repo_id: str
    adapter: str
    adapter_revision: str
    base_model: str
    datasets: tuple[str, ...]
    licence: str
    encoder_decoder: bool = False


@dataclass(frozen=True)
class Parity:
    """How near a GGUF is to the model it was made from, on the same prompts.

    Attributes:
        prompts: prompts compared.
        agreement: share on which both give the same next token the highest probability, 0..1.
        kl: mean divergence of the next-token distributions in nats, model against GGUF; a lower bound.
        tokenizer: share of the texts that both cut into the same tokens, chat template included, 0..1.
    """

    prompts: int
    agreement: float
    kl: float
    tokenizer: float


@dataclass(frozen=True)
class Gguf:
    """One file of a GGUF repo.

    Attributes:
        kind: `Q8_0`, `Q4_K_M`, or `Q8_0-ko`: Q8_0 with the tokens alone that Korean lines need.
        bytes: its size.
        tokens: entries of its vocabulary.
    """

    name: str
    kind: str
    bytes: int
    tokens: int
    parity: Parity


@dataclass(frozen=True)
class Ggufs:
    """What a GGUF repo holds.

    Attributes:
        files: of the adapter's merged model.
        base: the base model in the smallest kind, to write beside the adapter; None where it is not published.
        refused: what is not published -> why.
        tokens: entries of the model's whole vocabulary.
    """

    files: tuple[Gguf, ...]
    base: Gguf | None
    refused: dict[str, str]
    tokens: int

    @property
    def trimmed(self) -> tuple[Gguf, ...]:
        """The files that have a part of the vocabulary."""
        return tuple(file for file in self.files if file.tokens < self.tokens)


def merged_card(source: Source) -> str:
    """README of a merged model. The Hub calls it a finetune: its `merge` is for several models made one."""
    task = "text2text-generation" if source.encoder_decoder else "text-generation"
    data = _data(source, library_name="transformers", pipeline_tag=task)
    data |= {"base_model": source.base_model, "base_model_relation": "finetune"}
    return _render("merged.md.jinja", source, data, {"example": json.dumps(_EXAMPLE, ensure_ascii=False)})


def gguf_card(source: Source, ggufs: Ggufs, limits: Mapping[str, Parity], sampling: Mapping[str, float]) -> str:
    """README of a repo of GGUFs.

    Args:
        limits: kind -> the least agreement and tokenizer and the largest kl that were let through.
        sampling: recommended fields of a request, e.g. `temperature`, `top_p`, `max_tokens`.
    """
    data = _data(source, library_name="gguf", pipeline_tag="text-generation")
    data |= {"base_model": source.adapter, "base_model_relation": "quantized"}
    body = json.dumps({"messages": [_EXAMPLE], **sampling}, ensure_ascii=False)
    return _render("gguf.md.jinja", source, data, {"ggufs": ggufs, "limits": limits, "body": body})


def _data(source: Source, **fields: str) -> dict[str, object]:
    data: dict[str, object] = {"language": "ko", "license": source.licence, "tags": _TAGS, **fields}
    return data | ({"datasets": list(source.datasets)} if source.datasets else {})


def _render(template: str, source: Source, data: dict[str, object], shown: dict[str, object]) -> str:
    licence = licence_of(source.licence, source.base_model)
    body = environment().get_template(template).render(source=source, licence=licence, **shown)
    return f"---\n{ModelCardData(**data).to_yaml()}\n---\n\n{body}"  # type: ignore[arg-type]
