"""The adapter: loading it, saying why it would not load, sampling a batch of lines step by step."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from request import Problem, plain

ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))

TOP_P = 0.95
CANDIDATES = 1000  # tokens that may come next; sorting Gemma's 262,144 for top-p would cost as much as the model
MAX_NEW_TOKENS = 48  # a line has about 15; what has not ended by then is rambling and is not shown

Chat = list[dict[str, str]]


def _on_gpu(function: Callable[..., Iterator[str]]) -> Callable[..., Iterator[str]]:
    """The function with a GPU lent to each call on ZeroGPU, itself elsewhere."""
    if not ON_ZERO_GPU:
        return function
    import spaces

    lent: Callable[..., Iterator[str]] = spaces.GPU(duration=30)(function)
    return lent


class Model:
    """A PEFT adapter on its base model, with the adapter's own tokenizer and chat template.

    Attributes:
        ready: it is loaded.
        problem: why the last load failed, a Korean sentence; empty where none has.
    """

    def __init__(self, adapter: str, revision: str | None, base_model: str) -> None:
        self.adapter, self.revision, self.base_model = adapter, revision, base_model
        self.ready, self.problem = False, ""
        #: `lines(chat, count, temperature, seed)` yields each of `count` lines when it ends.
        self.lines = _on_gpu(self._lines)

    def load(self) -> None:
        """Load the adapter unless it is there. After a failure the next call tries again.

        Raises:
            Problem: it cannot be loaded.
        """
        if self.ready:
            return
        self.problem = ""
        try:
            self._load()
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self.problem = self._explain(error)
            raise Problem(self.problem) from error
        self.ready = True

    def _load(self) -> None:
        import torch
        from peft import AutoPeftModelForCausalLM
        from transformers import AutoTokenizer, GenerationConfig

        source: dict[str, Any] = {"revision": self.revision, "local_files_only": not self._hub_answers()}
        self._tokenizer: Any = AutoTokenizer.from_pretrained(self.adapter, **source)
        model = AutoPeftModelForCausalLM.from_pretrained(self.adapter, **source, dtype=torch.bfloat16)
        self._model: Any = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        try:  # what ends an answer is the adapter's to say: its chat template may end turns otherwise than the base
            ends = GenerationConfig.from_pretrained(self.adapter, **source).eos_token_id
        except OSError:
            ends = model.generation_config.eos_token_id
        self._ends = {self._tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}

    def _hub_answers(self) -> bool:
        """Whether the Hub can be asked. Where it cannot, the clients' retries would take a minute to say so."""
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        if Path(self.adapter).is_dir():
            return True
        try:
            HfApi().model_info(self.adapter, revision=self.revision, timeout=10)
        except HfHubHTTPError:
            raise  # an answer, and a no
        except Exception:  # no connection, whatever the HTTP client calls it: what is in the cache may do
            return False
        return True

    def _explain(self, error: BaseException) -> str:
        """The sentence for whatever stands anywhere in the chain of errors."""
        from huggingface_hub import errors

        chain: list[BaseException] = []
        link: BaseException | None = error
        while link is not None and link not in chain:
            chain.append(link)
            link = link.__cause__ or link.__context__
        kinds = {kind.__name__ for link in chain for kind in type(link).__mro__}
        if errors.GatedRepoError.__name__ in kinds:
            return (
                f"기반 모델 {self.base_model}의 이용 조건에 동의한 계정의 토큰이 필요합니다. "
                "Space 설정의 Secrets에 HF_TOKEN을 넣어 주세요."
            )
        if kinds & {errors.RepositoryNotFoundError.__name__, errors.RevisionNotFoundError.__name__}:
            return "모델이 Hub에 없습니다. 아래에 적힌 저장소와 리비전이 그대로 있는지 확인해 주세요."
        if kinds & {"TransportError", "ConnectionError", "TimeoutError", errors.LocalEntryNotFoundError.__name__}:
            return "모델이 있는 Hub에 연결할 수 없습니다. 잠시 뒤에 다시 눌러 주세요."
        if kinds & {"MemoryError", "OutOfMemoryError"}:
            return "메모리가 모자라 모델을 불러오지 못했습니다."
        return "모델을 불러오지 못했습니다. 잠시 뒤에 다시 눌러 주세요."

    def _lines(self, chat: Chat, count: int, temperature: float, seed: int) -> Iterator[str]:
        """Yield each line when it ends; an empty one where it has not ended in `MAX_NEW_TOKENS`.

        The lines grow together: decoding is bound by reading the weights, so eight cost little more than one.
        """
        import torch

        # As a decorator, the mode is off again whenever this generator yields; a `with` would leak it to the caller.
        yield from torch.inference_mode()(self._decode)(chat, count, temperature, seed)

    def _decode(self, chat: Chat, count: int, temperature: float, seed: int) -> Iterator[str]:
        import torch
        from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

        device = self._model.device
        prompt = self._tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(device)
        warp = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopPLogitsWarper(TOP_P)])
        random = torch.Generator(device).manual_seed(seed)
        output = self._model(input_ids=prompt["input_ids"], use_cache=True)
        cache = output.past_key_values
        cache.batch_repeat_interleave(count)  # the prompt is read once for all lines
        logits = output.logits[:, -1].repeat(count, 1)
        written = torch.empty((count, 0), dtype=torch.long, device=device)
        growing = list(range(count))
        for _ in range(MAX_NEW_TOKENS):
            likely, tokens = logits.float().topk(min(CANDIDATES, logits.shape[-1]))
            drawn = torch.multinomial(warp(written, likely).softmax(-1), 1, generator=random)
            written = torch.cat([written, tokens.gather(1, drawn)], dim=1)
            for row in list(growing):
                line = self._ended(written[row].tolist())
                if line is not None:
                    growing.remove(row)
                    yield line
            if not growing:
                return
            logits = self._model(input_ids=written[:, -1:], past_key_values=cache, use_cache=True).logits[:, -1]
        yield from [""] * len(growing)

    def _ended(self, tokens: list[int]) -> str | None:
        """The line, if its last token ends it; empty where it holds broken characters."""
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        if tokens[-1] not in self._ends and "\n" not in text:
            return None
        line = plain(text.split("\n", 1)[0])
        return "" if "\ufffd" in line else line
