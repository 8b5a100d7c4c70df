"""What writes: a pinned adapter, loaded once in the background, and a batch of lines sampled step by step."""

from __future__ import annotations

import contextvars
import os
import queue
import re
import secrets
import sys
import threading
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

ON_ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))

MAX_LINES = 8
MAX_PRODUCT = 40  # characters
MAX_VALUE = 20  # characters of one value
MAX_VALUES = 5
TEMPERATURES = (0.1, 1.5)

TOP_P = 0.95
MAX_NEW_TOKENS = 48  # a line has about 15; what has not ended by then is rambling and is not shown
ROUNDS = 3  # batches a request gets to replace lines that came out empty or twice
MAX_WAITING = 16  # requests in the queue; one batch takes a few seconds on two cores
TICK = 0.3  # seconds between two looks at the queue

LOADING = "모델을 불러오는 중입니다. 준비되는 대로 씁니다."
WRITING = "쓰는 중입니다."
BUSY = "지금은 쓰려는 분이 많습니다. 잠시 뒤에 다시 눌러 주세요."
FAILED = "글을 쓰다가 문제가 생겼습니다. 다시 눌러 주세요. 계속되면 상품과 가치를 짧게 줄여 보세요."
NOTHING = "보여 드릴 만한 줄이 나오지 않았습니다. 다시 누르거나 가치를 바꿔 보세요."


class Problem(Exception):
    """A failure as the visitor reads it: a Korean sentence."""


@dataclass(frozen=True)
class Settings:
    """`settings.json`, written at deploy.

    Attributes:
        adapter: Hub id of the adapter, or a folder.
        revision: commit sha of the adapter; None for a folder.
        prompt_format: the user's turn, with `{product}` and `{values}`, as the adapter was trained on.
        examples: `{"product": str, "values": list[str]}` each.
    """

    adapter: str
    revision: str | None
    base_model: str
    dataset: str | None
    prompt_format: str
    title: str
    examples: list[dict[str, Any]]


@dataclass(frozen=True)
class Request:
    """What is asked for, clean."""

    product: str
    values: tuple[str, ...]
    count: int
    temperature: float


def clean(product: str | None, values: str | None, count: float | None, temperature: float | None) -> Request:
    """A request from the raw fields of the page.

    Raises:
        Problem: something is missing or too long; the sentence says what to do.
    """
    name = _plain(product)
    wanted = tuple(dict.fromkeys(value for value in map(_plain, re.split(r"[,，、\n]", values or "")) if value))
    if not name:
        raise Problem("상품을 적어 주세요. 예: 제습기")
    if len(name) > MAX_PRODUCT:
        raise Problem(f"상품은 {MAX_PRODUCT}자까지 적을 수 있습니다. 지금 {len(name)}자입니다.")
    if not wanted:
        raise Problem("담고 싶은 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유")
    if len(wanted) > MAX_VALUES:
        raise Problem(f"가치는 {MAX_VALUES}개까지 담을 수 있습니다. 지금 {len(wanted)}개입니다.")
    longest = max(wanted, key=len)
    if len(longest) > MAX_VALUE:
        raise Problem(f"가치 하나는 {MAX_VALUE}자까지입니다. 길면 쉼표로 나눠 주세요: “{longest[:MAX_VALUE]}…”")
    if count is None or not 1 <= count <= MAX_LINES:
        raise Problem(f"줄 수는 1에서 {MAX_LINES} 사이로 골라 주세요.")
    if temperature is None or not TEMPERATURES[0] <= temperature <= TEMPERATURES[1]:
        raise Problem(f"자유로움은 {TEMPERATURES[0]}에서 {TEMPERATURES[1]} 사이로 골라 주세요.")
    return Request(name, wanted, int(count), float(temperature))


def _plain(text: str | None) -> str:
    """NFC, without control characters, runs of white space made one space: one line, as in training."""
    normal = unicodedata.normalize("NFC", text or "")
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in normal).split())


def explain(error: BaseException, settings: Settings) -> str:
    """Why the model could not be loaded, from anywhere in the chain of errors."""
    from huggingface_hub import errors

    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    if any(isinstance(link, errors.GatedRepoError) for link in chain):
        return (
            f"바탕 모델 {settings.base_model}의 이용 조건에 동의한 계정의 토큰이 필요합니다. "
            "Space 설정의 Secrets에 HF_TOKEN을 넣어 주세요."
        )
    if any(isinstance(link, errors.RepositoryNotFoundError | errors.RevisionNotFoundError) for link in chain):
        return f"모델 {settings.adapter}를 찾을 수 없습니다. 저장소와 리비전이 그대로 있는지 확인해 주세요."
    if names & {"ConnectError", "ConnectTimeout", "ReadTimeout", "ConnectionError", "TimeoutError"} or any(
        isinstance(link, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError) for link in chain
    ):
        return "모델이 있는 허브에 연결할 수 없습니다. 잠시 뒤에 다시 눌러 주세요."
    if "MemoryError" in names or "OutOfMemoryError" in names:
        return "메모리가 모자라 모델을 불러오지 못했습니다."
    return f"모델 {settings.adapter}를 불러오지 못했습니다. 잠시 뒤에 다시 눌러 주세요."


def _on_gpu(function: Callable[..., Iterator[str]]) -> Callable[..., Iterator[str]]:
    """The function with a GPU lent to each call on ZeroGPU, itself elsewhere."""
    if not ON_ZERO_GPU:
        return function
    import spaces

    lent: Callable[..., Iterator[str]] = spaces.GPU(duration=30)(function)
    return lent


class Writer:
    """Loads and writes in one thread of its own, in order: requests made while the model loads queue behind the load."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.problem = ""  # why the last load failed
        self.ready = False
        self._sample = _on_gpu(self._sample_lines)
        self._line: list[object] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        if ON_ZERO_GPU:  # what is on `cuda` before the page starts is what ZeroGPU hands to its workers
            self._load()
        else:
            self._thread.submit(self._try_load)

    @property
    def loading(self) -> bool:
        return not (self.ready or self.problem)

    def write(self, request: Request) -> Iterator[tuple[str, list[str]]]:
        """Yield (sentence, lines so far) whenever one of them changes; the last one has an empty sentence.

        Raises:
            Problem: the queue is full, the model cannot be loaded, or writing failed.
        """
        if len(self._line) >= MAX_WAITING:
            raise Problem(BUSY)
        job, out, stop = object(), queue.SimpleQueue[str | Problem | None](), threading.Event()
        self._line.append(job)
        self._thread.submit(contextvars.copy_context().run, self._work, request, job, out, stop)
        lines: list[str] = []
        said = ""
        try:
            while True:
                try:
                    item = out.get(timeout=TICK)
                except queue.Empty:
                    if said != (said := self._sentence(job)):
                        yield said, lines
                    continue
                if isinstance(item, Problem):
                    raise item
                if item is None:
                    break
                lines = [*lines, item]
                yield (said := WRITING), lines
            if not lines:
                raise Problem(NOTHING)
            yield "", lines
        finally:
            stop.set()  # the visitor has left, or it is all written

    def _sentence(self, job: object) -> str:
        if self.loading:
            return LOADING
        ahead = self._line.index(job) if job in self._line else 0
        return f"앞에 {ahead}분이 있습니다. 차례가 오면 바로 씁니다." if ahead else WRITING

    def _work(self, request: Request, job: object, out: queue.SimpleQueue[Any], stop: threading.Event) -> None:
        """One request, in the writer's thread; it always ends, so the queue always moves on."""
        try:
            if not stop.is_set():
                self._load()
                for line in self._lines(request):
                    out.put(line)
                    if stop.is_set():
                        break
            out.put(None)
        except Problem as problem:
            out.put(problem)
        except Exception:  # whatever it is, the visitor reads a sentence and the log has the trace
            traceback.print_exc(file=sys.stderr)
            out.put(Problem(FAILED))
        finally:
            self._line.remove(job)

    def _lines(self, request: Request) -> Iterator[str]:
        """Different lines, as many as asked for if `ROUNDS` batches give them."""
        values = ", ".join(request.values)
        chat = [{"role": "user", "content": self.settings.prompt_format.format(product=request.product, values=values)}]
        seen: set[str] = set()
        for _ in range(ROUNDS):
            for line in self._sample(chat, request.count - len(seen), request.temperature, secrets.randbits(32)):
                if line and line not in seen:
                    seen.add(line)
                    yield line
            if len(seen) == request.count:
                return

    def _try_load(self) -> None:
        try:
            self._load()
        except Problem:
            pass  # kept in `problem`, which the page shows

    def _load(self) -> None:
        """Load the adapter unless it is there; after a failure the next request tries again."""
        if self.ready:
            return
        self.problem = ""
        try:
            self._load_model()
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self.problem = explain(error, self.settings)
            raise Problem(self.problem) from error
        self.ready = True

    def _load_model(self) -> None:
        import torch
        from peft import AutoPeftModelForCausalLM
        from transformers import AutoTokenizer

        where, revision = self.settings.adapter, self.settings.revision
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer = AutoTokenizer.from_pretrained(where, revision=revision)
        model = AutoPeftModelForCausalLM.from_pretrained(where, revision=revision, dtype=torch.bfloat16)
        self._model = model.to(device).eval()
        ends = model.generation_config.eos_token_id
        self._ends = {self._tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}

    def _sample_lines(self, chat: list[dict[str, str]], count: int, temperature: float, seed: int) -> Iterator[str]:
        """Yield each of `count` lines when it ends; an empty one where it has not ended in `MAX_NEW_TOKENS`.

        The lines grow together: decoding is bound by reading the weights, so eight cost little more than one.
        """
        import torch

        with_grad_off = torch.inference_mode()(self._decode)  # as a decorator it is off again whenever the loop yields
        yield from with_grad_off(chat, count, temperature, seed)

    def _decode(self, chat: list[dict[str, str]], count: int, temperature: float, seed: int) -> Iterator[str]:
        import torch
        from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

        prompt = self._tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"].to(self._model.device)
        warp = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopPLogitsWarper(TOP_P)])
        random = torch.Generator(self._model.device).manual_seed(seed)
        output = self._model(input_ids=prompt, use_cache=True)
        cache = output.past_key_values
        cache.batch_repeat_interleave(count)  # the prompt is read once for all lines
        logits = output.logits[:, -1].repeat(count, 1)
        written = torch.empty((count, 0), dtype=torch.long, device=self._model.device)
        growing = list(range(count))
        for _ in range(MAX_NEW_TOKENS):
            chances = warp(written, logits.float()).softmax(-1)
            written = torch.cat([written, torch.multinomial(chances, 1, generator=random)], dim=1)
            for row in list(growing):
                line = self._ended(written[row].tolist())
                if line is not None:
                    growing.remove(row)
                    yield line
            if not growing:
                return
            output = self._model(input_ids=written[:, -1:], past_key_values=cache, use_cache=True)
            logits = output.logits[:, -1]
        yield from [""] * len(growing)

    def _ended(self, tokens: list[int]) -> str | None:
        """The line, if the last token ends it; empty where it holds broken characters."""
        text = self._tokenizer.decode(tokens, skip_special_tokens=True)
        if tokens[-1] not in self._ends and "\n" not in text:
            return None
        line = _plain(text.split("\n", 1)[0])
        return "" if "\ufffd" in line else line
