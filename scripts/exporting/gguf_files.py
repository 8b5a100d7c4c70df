"""Make the GGUFs of an adapter and of its base, measure each, and keep those within their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from huggingface_hub import HfUri
from numpy.typing import NDArray

from model_card.cards.exports import Gguf, Ggufs
from pipelines.errors import HanjulError
from pipelines.progress import Progress
from scripts.core.log import log
from scripts.exporting import convert, merge, parity, trim
from scripts.exporting.kept_tokens import choose_tokens
from scripts.exporting.vocabulary import Trimmed, read_vocabulary
from scripts.hub.hub import Hub
from scripts.models.models import base_of, load_base

#: The base among the kinds, and the bytes it may have: a demo loads it beside the adapter.
BASE, BASE_LIMIT = f"base-{trim.KIND}", 1_000_000_000

Rows = Sequence[Mapping[str, Any]]


def file_names(adapter: HfUri) -> dict[str, str]:
    """Kind of GGUF, the base among them -> its name in the repo."""
    name = adapter.id.split("/")[-1]
    return {kind: f"{name}-{kind}.gguf" for kind in (*convert.KINDS, trim.KIND, BASE)}


@dataclass
class _Published:
    """What is published, and what is not.

    Attributes:
        out: the folder of what is.
        cases: what all are measured on.
    """

    out: Path
    cases: Sequence[parity.Case]
    files: dict[str, Gguf] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def take(
        self, made: Path, name: str, kind: str, expected: Sequence[NDArray[Any]], trimmed: Trimmed | None = None
    ) -> None:
        """Measure a GGUF against the log-probabilities of its model; move it to `out`, or refuse it."""
        with Progress(f"gguf: asking {name}"):
            found = parity.compare(made, self.cases, expected, trimmed)
        log(f"gguf: {name}, agreement {found.agreement:.3f}, KL {found.kl:.4f}, tokenizer {found.tokenizer:.3f}")
        if excess := parity.exceeded_limits(kind, found):
            log(f"gguf: {name} does not speak as the model does and is not published: {excess}")
            self.refused[name] = excess
            return
        tokens = len(trimmed.kept if trimmed else expected[0])
        self.files[name] = Gguf(made.name, kind, made.stat().st_size, tokens, found)
        made.replace(self.out / made.name)

    def refuse(self, name: str, reason: str) -> None:
        log(f"gguf: {name} is left out: {reason}")
        self.refused[name] = reason


def write(hub: Hub, adapter: HfUri, held_out: Rows, rows: Rows, seed: int, folder: Path) -> Ggufs:
    """Write the GGUFs that are within their limits to `folder`/out.

    Args:
        held_out: `prompt` and `completion` of rows that the parity is measured on.
        rows: those that no token is taken from.

    Raises:
        HanjulError: llama.cpp cannot take the model, or each GGUF of it is beyond its limits.
    """
    names = file_names(adapter)
    model, tokenizer = merge.write_model(hub, adapter, base_of(hub, adapter), folder / "merged")
    cases = parity.sample_cases(tokenizer, held_out, parity.PROMPTS, seed)
    published = _Published(folder / "out", cases)
    whole = _convert(folder / "merged", adapter)
    expected = parity.ask(model, cases)
    del model
    made = {kind: convert.quantise(whole, folder / names[kind], kind) for kind in convert.KINDS}
    trimmed = choose_tokens(read_vocabulary(GGUFReader(whole)), _tokens_of(tokenizer, rows))
    if reason := trim.reason_not_to(trimmed):
        published.refuse(trim.KIND, reason)
    else:
        trim.trim(made[trim.WHOLE], folder / names[trim.KIND], trimmed)
    for kind, path in made.items():
        published.take(path, kind, kind, expected)
    if trim.KIND not in published.refused:
        published.take(folder / names[trim.KIND], trim.KIND, trim.KIND, expected, trimmed)
    if not published.files:
        refused = "; ".join(f"{kind} {excess}" for kind, excess in published.refused.items())
        raise HanjulError(
            f"No GGUF speaks as the model does: {refused}",
            adapter.to_uri(),
            "nothing was published; publish the merged model instead, with --merge",
        )
    if trim.KIND in published.files:
        _write_base(hub, adapter, tokenizer, trimmed, published, folder)
    base = published.files.pop(BASE, None)
    return Ggufs(tuple(published.files.values()), base, published.refused, len(expected[0]))


def _write_base(
    hub: Hub, adapter: HfUri, tokenizer: Any, trimmed: Trimmed, published: _Published, folder: Path
) -> None:
    """The base model with the adapter's tokenizer and generation config, so that it is asked as the adapter is."""
    from transformers import GenerationConfig

    size = published.files[trim.KIND].bytes  # the adapter is merged: the base has as many weights
    if size > BASE_LIMIT:
        published.refuse(BASE, f"{size / 1e9:.1f} GB > {BASE_LIMIT / 1e9:.0f} GB")
        return
    base, name = base_of(hub, adapter), file_names(adapter)[BASE]
    model, _ = load_base(base)
    model.generation_config = GenerationConfig.from_pretrained(folder / "merged")
    merge.save(hub, model, tokenizer, base, folder / "base")
    whole = _convert(folder / "base", base)
    made = convert.quantise(whole, folder / f"whole-{name}", trim.WHOLE)
    expected = parity.ask(model, published.cases)
    published.take(trim.trim(made, folder / name, trimmed), BASE, trim.KIND, expected, trimmed)


def _convert(model: Path, source: HfUri) -> Path:
    """The GGUF in bfloat16 of a model's folder, beside it."""
    log(f"gguf: converting {source.id}")
    with Progress("gguf: converting"):
        return convert.convert_to_gguf(model, model.with_suffix(".gguf"), source.id.split("/")[-1])


def _tokens_of(tokenizer: Any, rows: Rows) -> set[int]:
    """Tokens of the rows as a model reads and writes them, in the chat template."""
    chats = [[*row["prompt"], *row["completion"]] for row in rows]
    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    return {token for ids in tokenizer(texts, add_special_tokens=False).input_ids for token in ids}
