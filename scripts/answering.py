"""Lines of the systems that are compared: of models on this machine and of a teacher's endpoint, each written once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfUri
from tqdm import tqdm

from pipelines.rows import Message, Row, user_message
from scripts import log, teachers
from scripts.hub import Hub
from scripts.settings import EvaluateSettings, SynthesizeSettings

if TYPE_CHECKING:
    from model_card.evaluation import Candidate

Pair = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Sitting:
    """What all systems are asked.

    Attributes:
        pairs: product and values.
        shots: rows shown to a system that has not learnt the task.
        settings: candidates (lines a pair) and sampling.
    """

    pairs: tuple[Pair, ...]
    shots: tuple[Row, ...]
    settings: EvaluateSettings
    seed: int

    def chats(self, shown: bool) -> list[list[Message]]:
        """A chat for each line wanted, pair by pair."""
        shots = self.shots if shown else ()
        return [few_shot(shots, *pair) for pair in self.pairs for _ in range(self.settings.candidates)]

    def candidate(self, name: str, model: str, revision: str, lines: Sequence[str], pace: float | None) -> Candidate:
        from model_card.evaluation import Answer, Candidate

        asked = [pair for pair in self.pairs for _ in range(self.settings.candidates)]
        answers = (Answer(product, values, line) for (product, values), line in zip(asked, lines, strict=True))
        return Candidate(name, model, revision, tuple(answers), pace)


def few_shot(shots: Sequence[Row], product: str, values: Sequence[str]) -> list[Message]:
    """The examples as turns already taken, then the question."""
    turns: list[Message] = []
    for row in shots:
        turns += [user_message(row["product"], row["values"]), {"role": "assistant", "content": row["ad_copy"]}]
    return [*turns, user_message(product, values)]


def of_model(name: str, uri: HfUri, load: Callable[[], tuple[Any, Any]], sitting: Sitting, *, shown: bool) -> Candidate:
    """What a model on this machine writes. Lines that it wrote for the same questions before are taken from the store.

    Args:
        load: gives model and tokenizer; called only where there is something to write.
        shown: it is shown the examples.
    """
    from pipelines.endpoint.store import Store, key_of
    from pipelines.generation import generate_lines
    from pipelines.rows import CHAT_TEMPLATE

    settings, chats = sitting.settings, sitting.chats(shown)
    sampling = settings.model_dump(include={"temperature", "top_p", "max_new_tokens"})
    key = key_of(uri.to_uri(), {"chats": chats, **sampling, "seed": sitting.seed})
    store = Store(teachers.answers_path())
    kept = store.answer(key)
    if kept is None:
        model, tokenizer = load()
        tokenizer.chat_template = tokenizer.chat_template or CHAT_TEMPLATE
        with tqdm(total=len(chats), desc=f"evaluate: {name}", unit="line", disable=log.QUIET) as bar:
            started = time.monotonic()
            lines = generate_lines(
                model, tokenizer, chats, seed=sitting.seed, progress=lambda done: bar.update(done - bar.n), **sampling
            )
            seconds = time.monotonic() - started
        tokens = sum(len(tokenizer(line, add_special_tokens=False).input_ids) + 1 for line in lines)
        kept = {"lines": lines, "tokens_per_second": round(tokens / seconds, 1)}
        store.keep(key, kept)
    store.close()
    return sitting.candidate(name, uri.id, str(uri.revision), kept["lines"], kept["tokens_per_second"])


def of_endpoint(
    hub: Hub, name: str, asking: SynthesizeSettings, sitting: Sitting, run_id: str, folder: Path
) -> Candidate:
    """What the teacher of a recipe, behind an endpoint, writes after the same examples; within its budget, paid once.

    A pair that it would not answer has empty lines, which count as broken.

    Raises:
        HanjulError: see `teachers.opened` and `teachers.raise_if_gone`.
    """
    from pipelines.endpoint.flight import Asked, fly

    wanted = sitting.settings.candidates
    asked = (Asked(few_shot(sitting.shots, *pair), 0, {"place": place}) for place, pair in enumerate(sitting.pairs))
    with teachers.opened(hub, asking.teacher, None, 1, folder) as voice:
        llm = teachers.llm_of(voice, asking, run_id=run_id, seed=sitting.seed)
        llm.load()  # as distilabel does before a step
        found = {one.about["place"]: one.written for one in fly(llm, asked, len(sitting.pairs), wanted)}
        teachers.raise_if_gone(voice, (written.failure for written in found.values()))
        lines = [line for place in range(len(sitting.pairs)) for line in (found[place].texts + [""] * wanted)[:wanted]]
        return sitting.candidate(name, voice.model, "", [line.strip().split("\n")[0] for line in lines], None)
