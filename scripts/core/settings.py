"""The settings of a recipe, one class per stage. Defaults live here and nowhere else; YAML and flags override them.

A field marked `NoEffect` does not change what its stage makes: it says how to go about it, or names a file or a repo
whose content the stage's inputs pin. With another value the work that is done is found again.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipelines.filters.limits import FilterLimits
from scripts.core.fingerprint import NoEffect


class Settings(BaseModel):
    """Unknown keys are errors; a recipe as run is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ImportSettings(Settings):
    """Where rows come from."""

    source: Annotated[str, NoEffect] = Field(
        "starter", description="`starter`, a file (JSON, JSONL, CSV, Excel, Parquet) or hf://datasets/…"
    )
    limit: int | None = Field(None, ge=1, description="take this many rows, drawn by seed")
    feedback: Annotated[str | None, NoEffect] = Field(
        None, description="hf://datasets/… in which the demo keeps the votes of visitors; a commit of it, for a release"
    )
    # Of the import; `filter`, which writes it on the card, counts it.
    terms: Annotated[str, NoEffect] = Field(
        "", description="licence under which imported rows may be shared, in words, for the card"
    )


class TrainSettings(Settings):
    """One adapter."""

    repo: str = Field("hanjul-gemma-3-270m-lora", description="adapter repo, in our namespace unless it names one")
    method: Literal["sft", "dpo", "judge"] = Field(
        "sft", description="dpo learns config `preferences`, from an SFT adapter; judge learns to read lines, too"
    )
    start: str | None = Field(None, description="the SFT adapter that dpo starts from: hf://models/…")
    beta: float = Field(0.1, gt=0, description="of dpo: the larger, the nearer it stays to where it started")
    base_model: str = "google/gemma-3-270m"
    base_revision: str | None = None
    licence: str | None = Field(None, description="licence that the base's card must name, by its Hub identifier")
    gpu_memory_gb: Annotated[float | None, NoEffect] = Field(
        None, gt=0, description="what it takes on one GPU, for the reader"
    )
    trust_remote_code: bool = Field(False, description="run code of the base's repo; base_revision must be a commit")
    chat_template: Literal["base", "hanjul"] = Field("base", description="hanjul: ours, though the base has its own")
    merits: tuple[Literal["good", "plain", "flat"], ...] | None = Field(
        None,
        min_length=1,
        description="learn only lines of these merits, and those that nobody spoke of; null for all that are released, "
        "which flat ones are not",
    )
    rows: int | None = Field(None, ge=1, description="learn this many rows of the train split, drawn by seed")
    epochs: float = Field(2.0, gt=0)
    max_steps: int = Field(-1, description="stop after this many optimiser steps; -1 for whole epochs")
    keep: Literal["last"] | None = Field(
        None, description="last: publish the checkpoint after all epochs; null: that of the lowest held-out loss"
    )
    patience: int = Field(
        2, ge=1, description="epochs without a better held-out loss after which training ends, but with keep: last"
    )
    batch_size: int = Field(16, ge=1, description="rows of a step, over all processes; packed, rows of max_length")
    gradient_accumulation: int = Field(1, ge=1, description="steps whose gradients are summed before the weights move")
    gradient_checkpointing: bool = Field(False, description="less memory, a third more time")
    learning_rate: float = Field(2e-4, gt=0)
    quantize: Literal["none", "4bit"] = Field("none", description="4bit is QLoRA; it needs CUDA and bitsandbytes")
    lora_r: int = Field(16, ge=1)
    lora_alpha: int = Field(32, ge=1)
    lora_dropout: float = Field(0.0, ge=0, lt=1)
    rslora: bool = Field(False, description="scale by alpha / √r instead of alpha / r")
    dora: bool = Field(False, description="learn the length of each weight row apart from its direction")
    max_length: int = Field(128, ge=16, description="tokens of prompt and completion; longer rows are an error")
    packing: bool = Field(False, description="rows one after another instead of padded, where attention parts them")
    kernels: bool = Field(False, description="on CUDA, layers from the Hub's kernels: code of others")
    compile: bool = Field(False, description="torch.compile: minutes at the start, for long runs on a GPU")
    processes: Annotated[int | None, NoEffect] = Field(None, ge=1, description="by default one for each GPU, or one")
    fsdp: bool = Field(False, description="share the base's weights out over the processes, instead of one copy each")
    tracking: Annotated[Literal["none", "trackio"], NoEffect] = "none"
    # What is made of the adapter afterwards are stages of their own.
    merge: Annotated[bool, NoEffect] = Field(False, description="publish the merged model too")
    gguf: Annotated[bool, NoEffect] = Field(False, description="publish GGUFs of it too: Q8_0, Q4_K_M, Q8_0-ko")

    @model_validator(mode="after")
    def _whole(self) -> TrainSettings:
        if self.trust_remote_code and not re.fullmatch(r"[0-9a-f]{40}", self.base_revision or ""):
            raise ValueError("trust_remote_code needs base_revision as a full commit sha: code must not change unseen")
        if (self.method == "dpo") != (self.start is not None):
            raise ValueError("method dpo needs `start`, an SFT adapter, and only dpo takes one")
        return self


class PriceSettings(Settings):
    """USD per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class OfAnyHost:
    """Marks a field of an endpoint's settings that is said of no host, nor of one of its models.

    All others are gone where `base_url` or `model` is overridden: see `scripts.recipes.overriding`.
    """


class EndpointSettings(Settings):
    """A model behind an OpenAI-compatible endpoint."""

    base_url: str | None = Field(None, description="an OpenAI-compatible endpoint, e.g. https://api.openai.com/v1")
    model: str | None = None

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query or parts.fragment:  # recipes are published
            raise ValueError("a URL must hold no password and no query; name the key's variable in api_key_env")
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\\]", url):
            raise ValueError("give the whole address, e.g. http://127.0.0.1:8000/v1")
        _ = parts.port  # a ValueError of its own where it is none
        return url

    api_key_env: Annotated[str | None, NoEffect] = Field(
        None,
        max_length=64,
        description="name of the environment variable that holds the key; `none` where none is asked for; left out, "
        "OPENAI_API_KEY for api.openai.com and no key for an endpoint on this machine. It goes to the host of the "
        "`base_url` beside it: with another one on the command line it is to be named there, too",
    )

    @field_validator("api_key_env")
    @classmethod
    def _a_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(
            r"[A-Za-z_][A-Za-z0-9_]*", name
        ):  # a key, maybe; recipes are published
            raise ValueError("name an environment variable here, e.g. MY_KEY, and never the key itself")
        return name

    identity: str | None = Field(
        None,
        description="names the model among the kept answers, by default address and model: give one to keep them when "
        "the address moves, change it when the weights behind an address do",
    )


class TeacherSettings(EndpointSettings):
    """Who writes. Without `base_url` the embedded model does, with the adapter of `train.repo`."""

    price: PriceSettings | None = Field(None, description="where the provider's list price is unknown or not yours")


class Sampling(Settings):
    """How lines are drawn."""

    temperature: float = Field(0.7, ge=0, description="0 is greedy")
    top_p: float = Field(0.95, gt=0, le=1)
    max_new_tokens: int = Field(40, ge=4)


class BudgetSettings(Settings):
    """What a stage may send to an endpoint, and how. Limits are checked before a request leaves."""

    max_requests: int | None = Field(None, ge=1, description="retries count")
    max_tokens: int | None = Field(None, ge=1, description="of prompts and answers together")
    max_usd: float | None = Field(None, gt=0)
    timeout: Annotated[float, NoEffect] = Field(120, gt=0, description="seconds that an answer may take")
    batch: bool = Field(False, description="use the provider's Batch API: half the price, up to a day")
    batch_poll: Annotated[int, NoEffect] = Field(60, ge=1, description="seconds between two looks at a batch")


class JudgeSettings(EndpointSettings):
    """An LLM that scores lines by rubrics. Best of another family than the teacher's."""

    base_url: str
    model: str
    price: Annotated[PriceSettings | None, NoEffect] = Field(
        None, description="where the provider's list price is unknown or not yours"
    )
    concurrency: Annotated[int, NoEffect, OfAnyHost] = Field(
        16, ge=1, description="requests in flight at most; fewer where the endpoint says so"
    )
    # A judge whose budget is spent judges nothing: it is an error, not another report.
    budget: Annotated[BudgetSettings, NoEffect, OfAnyHost] = BudgetSettings()
    samples: Annotated[int, OfAnyHost] = Field(
        5, ge=2, description="answers that a score is the mean of, where the endpoint gives no token probabilities"
    )
    temperature: Annotated[float, OfAnyHost] = Field(
        1.0, gt=0, le=2, description="of those answers, and of one that is asked for again"
    )
    max_new_tokens: Annotated[int, OfAnyHost] = Field(
        400, ge=64, description="of an answer; a model that thinks first needs thousands"
    )
    duels: Annotated[int, OfAnyHost] = Field(
        200,
        ge=10,
        description="comparisons of two lines, each asked for in both orders, at most: in its calibration, and again "
        "between the systems; drawn by seed",
    )

    @model_validator(mode="after")
    def _at_once(self) -> JudgeSettings:
        if self.budget.batch:
            raise ValueError("a judge answers at once: leave `budget.batch` out")
        return self


class AskingSettings(Sampling):
    """What all that ask a teacher have in common."""

    teacher: TeacherSettings = TeacherSettings()
    concurrency: Annotated[int, NoEffect] = Field(
        16, ge=1, description="requests in flight at most; fewer where the endpoint says so"
    )
    budget: BudgetSettings = BudgetSettings()


class ProposeSettings(AskingSettings):
    """What a teacher adds to the taxonomy before pairs are planned. It needs an endpoint."""

    products: int = Field(10, ge=1, le=50, description="new products asked for in each category")
    values: int = Field(2, ge=1, le=10, description="values asked for, for each new product and kind of value")
    temperature: float = Field(0.9, ge=0, description="0 is greedy")
    max_new_tokens: int = Field(24, ge=4, description="of one product or value")
    min_relatedness: float = Field(
        -0.43, description="values less related to their product (nats a token) are rejected"
    )


class PairsSettings(Settings):
    """How many product–value pairs to plan from the taxonomy."""

    n: int = Field(192, ge=1)
    values_max: int = Field(2, ge=1, le=4, description="values a pair holds at most")
    propose: ProposeSettings | None = Field(None, description="have a teacher widen the taxonomy first")


class SynthesizeSettings(AskingSettings):
    """How the teacher writes."""

    n: int | None = Field(None, ge=1, description="accepted rows wanted; null asks every pair once")
    attempts: int = Field(3, ge=1, description="how often a pair is asked at most, where n is given")
    candidates: int = Field(4, ge=1, description="lines asked for per pair")
    examples: int = Field(4, ge=0, description="random examples in the prompt of a teacher that is not tuned")
    examples_from: Annotated[str | None, NoEffect] = Field(
        None, description="file or hf://datasets/… to draw them from; by default real slogans and the people's rows"
    )
    engine: Annotated[Literal["local", "ray"], NoEffect] = "local"


class SemanticSettings(Settings):
    """Near-duplicates in meaning, found by a sentence encoder (extra `semantic`)."""

    model: str = Field(description="a sentence-transformers model on the Hub, e.g. jhgan/ko-sroberta-multitask")
    revision: str | None = None
    max_cosine: float = Field(0.9, gt=0, le=1, description="lines at least so alike are near-duplicates")


class FilterSettings(FilterLimits, Settings):
    """The filters' thresholds, and where they get what they compare with."""

    judge: Literal["sense", "none"] = Field(
        "sense", description="who lets synthesised lines in; with `none` the rules alone decide, for teachers you trust"
    )
    slogans: Annotated[str | None, NoEffect] = Field(
        None, description="file or hf://datasets/… of real slogans besides those of Hanjul"
    )
    eval_lines: Annotated[str | None, NoEffect] = Field(
        None, description="file or hf://datasets/… of lines that no row may resemble"
    )
    semantic: SemanticSettings | None = None
    min_margin: float = Field(
        0.1, ge=0, le=1, description="by which P(usable) differs in a pair of config `preferences`"
    )
    previous: Literal["replace", "append"] = Field(
        "replace", description="append filters the rows of the version before again, together with the new ones"
    )
    engine: Annotated[Literal["local", "ray"], NoEffect] = "local"


class CalibrationSettings(Settings):
    """What the calibration of a judge depends on, and so all its scores."""

    calibration_rows: int = Field(
        64,
        ge=4,
        description="held-out rows the judge is calibrated on; below 32 slogans and lines by models are fewer in "
        "proportion, and few rows seldom make a judge reliable",
    )
    bootstrap: int = Field(2000, ge=100, description="samples behind each confidence interval")


class JudgesSettings(CalibrationSettings):
    """Who judges: the likelihoods of a scorer and, where one is named, an LLM."""

    judge: JudgeSettings | None = Field(None, description="an LLM that judges beside the likelihoods")
    scorer: Annotated[str | None, NoEffect] = Field(
        None, description="hf://models/… whose likelihoods judge, a base or an adapter; by default the adapter's base"
    )
    votes: Annotated[str | None, NoEffect] = Field(
        None, description="hf://datasets/… of people's votes, to set every judge beside"
    )


class EvaluateSettings(Sampling, JudgesSettings):
    """What is judged, and by whom."""

    # Of one adapter of 270M, two blind readings called 8% of the lines at 0.3 usable and 2% of those at 0.7.
    temperature: float = Field(0.3, ge=0, description="0 is greedy; a published adapter samples with it, too")
    pairs: int = Field(24, ge=2, description="pairs of the test split")
    candidates: int = Field(1, ge=1, description="lines generated per pair")


class CalibrateSettings(Settings):
    """Where the judges' reliability is published."""

    repo: str = Field("hanjul-judges", description="dataset repo of the contrast set and the judges")


class SpaceSettings(Settings):
    """The demo."""

    repo: str = "hanjul"
    hardware: str = Field(
        "zero", description="zero, cpu, or a name of the Hub's, e.g. t4-small; ZeroGPU takes no paid plan"
    )
    feedback: str = Field("", description="private dataset repo that visitors' votes go to; empty keeps none")
    minutes: Annotated[int, NoEffect] = Field(
        30, ge=1, description="that a Space may take to be built and started, and its page to write a line"
    )


class Recipe(Settings):
    """A release, whole. Stages left null are left out."""

    version: str = Field("v0.1.0", pattern=r"^v\d+\.\d+\.\d+$", description="tag set on every repo at the end")
    title: str = "한 줄 Hanjul"
    dataset: str = Field("hanjul-copy", description="dataset repo")
    seed: int = 20261122
    import_: ImportSettings = Field(ImportSettings(), alias="import")
    pairs: PairsSettings | None = PairsSettings()
    synthesize: SynthesizeSettings | None = SynthesizeSettings()
    filter: FilterSettings = FilterSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    calibrate: CalibrateSettings = CalibrateSettings()
    space: SpaceSettings = SpaceSettings()

    @field_validator("title")
    @classmethod
    def _one_line(cls, title: str) -> str:
        if not title.strip():
            raise ValueError("a title needs words")
        return " ".join(title.split())  # it becomes a heading, which ends with its line
