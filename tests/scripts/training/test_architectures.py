"""Every architecture of the training recipes, from a base on the Hub to lines from the published adapter."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import torch
from huggingface_hub import HfUri, ModelCard, constants
from peft import AutoPeftModelForCausalLM, AutoPeftModelForSeq2SeqLM
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, GenerationConfig

from pipelines.errors import HanjulError
from pipelines.likelihood.generation import generate_lines
from pipelines.rows import CHAT_TEMPLATE, user_message
from scripts.core.settings import TrainSettings
from scripts.hub.hub import Hub
from scripts.models import models
from scripts.stages import generate, train
from scripts.training import loading, worker
from scripts.training.build_trainer import build_trainer
from scripts.training.encoding import encode
from tests.tiny import architectures, language_model

SETTINGS = TrainSettings(batch_size=4, max_steps=3, learning_rate=1e-2)

GATED = [f"self_attn.{side}_proj" for side in "qkvo"] + [f"mlp.{side}_proj" for side in ("gate", "up", "down")]
NEOX = ["attention.query_key_value", "attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"]
ATTENTION = ["self.query", "self.key", "self.value", "output.dense"]
BERT = [*(f"attention.{side}" for side in ATTENTION), "intermediate.dense", "output.dense"]
CROSS = [f"crossattention.{side}" for side in ATTENTION]


def layers(prefix: str, names: list[str]) -> set[str]:
    return {f"{prefix}.{layer}.{name}" for layer in range(2) for name in names}


#: Linear layers that an adapter has to reach: all but the head, and but BERT's pooler, which no decoder hears of.
TARGETS = {name: layers("model.layers", GATED) for name in ("llama", "gemma", "gemma3", "qwen3")} | {
    "gpt-neox": layers("gpt_neox.layers", NEOX),
    "encoder-decoder": layers("encoder.encoder.layer", BERT)
    | layers("decoder.bert.encoder.layer", BERT + CROSS)
    | {"decoder.cls.predictions.transform.dense"},
}

#: What a prompt and its answer look like to the model.
CHAT = "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n", "{line}<|im_end|>\n"
TEXTS = {
    "llama": ("<|endoftext|>{prompt}\n카피:", " {line}<|endoftext|>"),
    "gpt-neox": ("<|endoftext|>{prompt}\n카피:", " {line}<|endoftext|>"),
    "gemma": ("<bos>{prompt}\n카피:", " {line}<eos>"),
    "gemma3": ("<bos>{prompt}\n카피:", " {line}<eos>"),
    "qwen3": CHAT,
}

#: Tokens that end an answer.
ENDS = {
    "llama": {"<|endoftext|>"},
    "gpt-neox": {"<|endoftext|>"},
    "gemma": {"<eos>"},
    "gemma3": {"<eos>"},
    "qwen3": {"<|endoftext|>", "<|im_end|>"},
    "encoder-decoder": {"[SEP]"},
}

FILES = {
    ".gitattributes", "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja",
    "generation_config.json", "hanjul.json", "manifest.json", "tokenizer.json", "tokenizer_config.json",
    "training/curve.json", "training/curve.png",
}  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """An adapter on the Hub, and the model and tokenizer that its training ended with."""

    name: str
    base: HfUri
    uri: HfUri
    model: Any
    tokenizer: Any

    @property
    def encoder_decoder(self) -> bool:
        return self.name == "encoder-decoder"

    def reloaded(self) -> Any:
        kind = AutoPeftModelForSeq2SeqLM if self.encoder_decoder else AutoPeftModelForCausalLM
        return kind.from_pretrained(self.uri.id)


def upload(hub: Hub, kind: str, name: str, folder: Path) -> HfUri:
    repo = hub.repo(kind, name)
    hub.api.create_repo(repo.id, repo_type=kind)
    hub.api.upload_folder(repo_id=repo.id, folder_path=folder, repo_type=kind)
    return hub.resolve(repo)


@pytest.fixture(scope="session")
def rows(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> HfUri:
    """A dataset of 16 rows to train on and 8 held out."""
    folder = tmp_path_factory.mktemp("rows")
    language_model.rows(16).to_parquet(folder / "train.parquet")
    language_model.rows(8).to_parquet(folder / "validation.parquet")
    return upload(hub, "dataset", "architecture-rows", folder)


@pytest.fixture(scope="module", params=list(architectures.ARCHITECTURES))
def trained(request: pytest.FixtureRequest, hub: Hub, rows: HfUri, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    architectures.save_base(name, folder)
    base = upload(hub, "model", f"{name}-base", folder)
    ended: list[tuple[Any, ...]] = []
    save = worker.save

    def watched(*args: Any) -> None:
        ended.append(args)
        save(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "save", watched)
        uri = train.run(hub, rows, base, SETTINGS.model_copy(update={"repo": f"{name}-lora"}), seed=1)
    trainer, tokenizer, *_ = ended[0]
    return Trained(name, base, uri, trainer.model, tokenizer)


def test_every_linear_layer_but_the_head_learns_and_nothing_else(hub: Hub, trained: Trained) -> None:
    weights = load_file(hub.file(trained.uri, "adapter_model.safetensors"))
    made = {f"base_model.model.{layer}.lora_{side}.weight" for layer in TARGETS[trained.name] for side in "AB"}
    assert set(weights) == made
    assert [key for key, weight in weights.items() if not weight.any()] == []  # each B began as zeros
    learnt = [key for key, weight in trained.model.named_parameters() if weight.requires_grad]
    assert {key.replace(".default", "") for key in learnt} == made
    before = loading.load_base(trained.base.id, trained.base.revision, trained.tokenizer, SETTINGS).state_dict()
    after = trained.model.get_base_model().state_dict()
    kept = {key.replace(".base_layer", ""): weight for key, weight in after.items() if "lora_" not in key}
    assert set(kept) == set(before)
    assert [key for key, weight in before.items() if not torch.equal(weight, kept[key])] == []


def test_the_repo_holds_what_the_card_promises(hub: Hub, trained: Trained) -> None:
    assert set(hub.api.list_repo_files(trained.uri.id)) == FILES
    card = vars(ModelCard(hub.text(trained.uri, "README.md")).data)
    task = "text2text-generation" if trained.encoder_decoder else "text-generation"
    facts = {"pipeline_tag": task, "library_name": "peft", "license": "apache-2.0", "language": "ko"}
    assert {key: value for key, value in card.items() if value is not None} == facts | {
        "base_model": trained.base.id,
        "base_model_relation": "adapter",
        "datasets": [f"{hub.namespace}/architecture-rows"],
        "tags": ["hanjul", "ad-copy", "copywriting", "korean", "lora"],
    }
    config = json.loads(hub.text(trained.uri, "adapter_config.json"))
    assert config["task_type"] == ("SEQ_2_SEQ_LM" if trained.encoder_decoder else "CAUSAL_LM")
    assert config["base_model_name_or_path"] == trained.base.id
    tokenizer = AutoTokenizer.from_pretrained(trained.uri.id)
    assert tokenizer.chat_template == (architectures.CHATML if trained.name == "qwen3" else CHAT_TEMPLATE)
    sampling = GenerationConfig.from_pretrained(trained.uri.id)
    assert sampling.eos_token_id == sorted(tokenizer.convert_tokens_to_ids(list(ENDS[trained.name])))
    assert sampling.pad_token_id == tokenizer.pad_token_id is not None
    assert sampling.decoder_start_token_id == (tokenizer.cls_token_id if trained.encoder_decoder else None)


def test_rows_are_learnt_as_the_template_writes_them(trained: Trained, tmp_path: Path) -> None:
    row = language_model.rows(1)[0]
    prompt, completion = encode(trained.tokenizer, row)
    words = {"prompt": row["prompt"][0]["content"], "line": row["completion"][0]["content"]}
    read, written = (trained.tokenizer.decode(ids) for ids in (prompt, completion))
    if trained.encoder_decoder:  # WordPiece keeps no white space: [CLS] begins the prompt, [SEP] ends the line
        assert read.split() == ["[CLS]", *re.findall(r"\w+|:", words["prompt"]), "카피", ":"]
        assert written.removesuffix(" [SEP]") == words["line"] and written != words["line"]
        return
    assert (read, written) == tuple(text.format(**words) for text in TEXTS[trained.name])
    base = loading.load_base(trained.base.id, trained.base.revision, trained.tokenizer, SETTINGS)
    trainer = build_trainer(base, trained.tokenizer, language_model.rows(1), None, SETTINGS, 1, tmp_path)
    assert trainer.train_dataset[0]["input_ids"] == prompt + completion
    assert trainer.train_dataset[0]["labels"] == [-100] * len(prompt) + completion


def test_the_usage_block_of_the_card_runs(hub: Hub, trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```", hub.text(trained.uri, "README.md"), re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(found[1], names)  # what a reader of the card would paste
    written = names["output"][0, 0 if trained.encoder_decoder else names["prompt"]["input_ids"].shape[1] :].tolist()
    assert ("token_type_ids" in names["prompt"]) == trained.encoder_decoder  # which takes them
    assert written[-1] in names["sampling"].eos_token_id or len(written) - trained.encoder_decoder == 40
    assert capsys.readouterr().out == names["tokenizer"].decode(written, skip_special_tokens=True).strip() + "\n"


def test_the_reloaded_adapter_is_the_one_that_was_trained(trained: Trained) -> None:
    ours, model = trained.model.state_dict(), trained.reloaded()
    theirs = model.state_dict()
    assert set(theirs) == set(ours)
    assert [key for key, weight in ours.items() if not torch.equal(weight, theirs[key])] == []
    ids = torch.tensor([encode(trained.tokenizer, language_model.rows(1)[0])[0]])
    inputs = {"input_ids": ids} | ({"decoder_input_ids": ids[:, :3]} if trained.encoder_decoder else {})
    with torch.no_grad():
        tuned = model(**inputs).logits
        with model.disable_adapter():
            assert not torch.allclose(tuned, model(**inputs).logits, rtol=0.1, atol=0.1)


def test_lines_of_a_batch_are_those_of_single_prompts(trained: Trained) -> None:
    model, tokenizer = models.load_adapter(trained.uri)
    model.float()  # in bfloat16 the shape of a batch decides between near equals
    for name, weight in model.named_parameters():
        if ("crossattention" in name or "encoder.encoder" in name) and weight.dim() == 2:
            weight.data *= 20  # random weights hardly look at the prompt; what they say hangs on the machine
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]  # as a base's own may have it
    chats = [
        [user_message(product, language_model.VALUES[: 1 + n % 4])] for n, product in enumerate(language_model.PRODUCTS)
    ]
    lengths = {len(tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]) for chat in chats}
    assert len(lengths) > 2
    options: dict[str, Any] = {"temperature": 0, "top_p": 1.0, "max_new_tokens": 12, "seed": 1}
    together = generate_lines(model, tokenizer, chats, **options)
    assert together == [generate_lines(model, tokenizer, [chat], **options)[0] for chat in chats]
    assert len(set(together)) > 1
    assert tokenizer.padding_side == ("right" if trained.encoder_decoder else "left")


def test_hanjul_generate_writes_lines(hub: Hub, trained: Trained) -> None:
    lines = generate.run(hub, trained.uri, "향초", ["차분한"], 4, None, seed=1)
    assert 0 < len(lines) <= 4
    assert [line for line in lines if "\n" in line or "<|" in line or ("[" in line and trained.encoder_decoder)] == []
    assert lines == generate.run(hub, trained.uri, "향초", ["차분한"], 4, None, seed=1)


@pytest.mark.parametrize("trained", ["encoder-decoder"], indirect=True)
def test_encoder_and_decoder_have_one_set_of_weights(trained: Trained, tmp_path: Path) -> None:
    model = loading.load_base(trained.base.id, trained.base.revision, trained.tokenizer, SETTINGS)
    own = {
        key: weight.numel()
        for key, weight in model.decoder.named_parameters(remove_duplicate=False)
        if "crossattention" in key or (key.startswith("cls.") and key != "cls.predictions.decoder.weight")
    }
    vocabulary, width = len(trained.tokenizer), 32
    square = width * width + width
    assert sum(own.values()) - 2 * vocabulary == 2 * (4 * square + 2 * width) + square + 2 * width
    one = sum(weight.numel() for weight in model.encoder.parameters())
    assert sum(weight.numel() for weight in model.parameters()) == one + sum(own.values()) - vocabulary
    base = trained.model.get_base_model()
    encoder, decoder = base.encoder.encoder.layer[1], base.decoder.bert.encoder.layer[1]
    assert encoder.output.dense.base_layer.weight is decoder.output.dense.base_layer.weight
    assert base.encoder.embeddings.word_embeddings.weight is base.decoder.cls.predictions.decoder.weight
    assert encoder.output.dense.lora_A.default.weight is not decoder.output.dense.lora_A.default.weight

    trainer = build_trainer(model, trained.tokenizer, language_model.rows(16), None, SETTINGS, 1, tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    trainer.model.eval()
    with torch.no_grad(), pytest.warns(FutureWarning, match="Version v4.12.0"):
        ours, theirs = trainer.compute_loss(trainer.model, batch), trainer.model(**batch).loss
        summed = trainer.compute_loss(trainer.model, batch, num_items_in_batch=1)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-2)  # bfloat16 logits
    assert float(summed) == pytest.approx(float(ours) * int((batch["labels"] != -100).sum()), rel=1e-4)


@pytest.mark.parametrize("trained", ["gpt-neox", "encoder-decoder"], indirect=True)
def test_rslora_and_dora_are_trained_and_named(hub: Hub, trained: Trained, rows: HfUri) -> None:
    options = {"repo": f"{trained.name}-dora", "rslora": True, "dora": True, "lora_r": 4, "max_steps": 2}
    uri = train.run(hub, rows, trained.base, SETTINGS.model_copy(update=options), seed=1)
    config = json.loads(hub.text(uri, "adapter_config.json"))
    assert (config["use_rslora"], config["use_dora"], config["r"]) == (True, True, 4)
    weights = load_file(hub.file(uri, "adapter_model.safetensors"))
    lengths = {key.removeprefix("base_model.model.").removesuffix(".lora_magnitude_vector") for key in weights}
    assert TARGETS[trained.name] <= lengths
    model, _ = models.load_adapter(uri)
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert generate.run(hub, uri, "향초", ["차분한"], 2, None, seed=1)


def test_a_template_that_opens_a_thought_is_replaced_by_ours(hub: Hub, rows: HfUri, tmp_path: Path) -> None:
    architectures.save_base("qwen3", tmp_path)
    (tmp_path / "chat_template.jinja").write_text(architectures.THINKING, encoding="utf-8")
    base = upload(hub, "model", "thinking-base", tmp_path)
    ours = SETTINGS.model_copy(update={"repo": "thinking-lora", "chat_template": "hanjul", "max_steps": 2})
    uri = train.run(hub, rows, base, ours, seed=1)
    tokenizer = AutoTokenizer.from_pretrained(uri.id)
    assert tokenizer.chat_template == CHAT_TEMPLATE
    prompt, completion = encode(tokenizer, language_model.rows(1)[0])
    assert tokenizer.decode(prompt) == "<|endoftext|>상품: 향초\n가치: 차분한\n카피:"
    assert tokenizer.decode(completion) == " 오늘의 소란을 끄는 시간 향0<|endoftext|>"
    assert GenerationConfig.from_pretrained(uri.id).eos_token_id == [tokenizer.eos_token_id]
    assert len(generate.run(hub, uri, "향초", ["차분한"], 2, None, seed=1)) == 2


def test_a_checkpoint_that_lacks_weights_is_refused(hub: Hub, tmp_path: Path) -> None:
    """As safetensors of transformers 4 were: what encoder and decoder share stands in them once."""
    architectures.save_base("encoder-decoder", tmp_path)
    state = torch.load(tmp_path / "pytorch_model.bin")
    once = {weight.data_ptr(): (key, weight) for key, weight in reversed(state.items())}
    tied = {"decoder.cls.predictions.decoder.weight"}  # to the decoder's embeddings, and no weight of its own
    lacking = sorted(state.keys() - {key for key, _ in once.values()} - tied)
    save_file(dict(once.values()), tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(HanjulError) as caught:
        loading.load_base(str(tmp_path), None, AutoTokenizer.from_pretrained(tmp_path), SETTINGS)
    assert caught.value.what == f"The checkpoint of this base lacks {len(lacking)} weights, {lacking[0]} among them"


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (TrainSettings(method="dpo", start="hf://models/team/adapter"), "DPO"),
        (TrainSettings(packing=True), "Packing"),
    ],
    ids=["dpo", "packing"],
)
def test_an_encoder_decoder_learns_neither_preferences_nor_packed_rows(
    tmp_path: Path, settings: TrainSettings, what: str
) -> None:
    architectures.save_base("encoder-decoder", tmp_path)
    (tmp_path / "pytorch_model.bin").unlink()  # it is not asked for
    with pytest.raises(HanjulError, match=f"{what} is for causal models, and this base is an encoder-decoder"):
        loading.load_base(str(tmp_path), None, None, settings)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base whose weights nobody can read."""
    folder = tmp_path_factory.mktemp("empty")
    architectures.save_base("qwen3", folder)
    (folder / "model.safetensors").write_bytes(b"no weights")
    return folder


def refusal(hub: Hub, folder: Path, name: str, rows: HfUri, settings: dict[str, Any]) -> HanjulError:
    """The error of a training that must end before it asks for weights."""
    base = upload(hub, "model", name, folder)
    with pytest.raises(HanjulError) as caught:
        train.run(hub, rows, base, SETTINGS.model_copy(update={"repo": f"{name}-lora"} | settings), seed=1)
    cache = Path(constants.HF_HUB_CACHE) / f"models--{base.id.replace('/', '--')}"
    assert (cache / "snapshots" / str(base.revision) / "README.md").is_file()  # the cache that was looked into
    assert list(cache.rglob("*.safetensors")) == []
    assert hub.head(hub.repo("model", f"{name}-lora")) is None
    return caught.value


@pytest.mark.parametrize(
    ("card", "settings", "what", "next_step"),
    [
        (
            "---\nlanguage: ko\n---\n",
            {},
            "The licence of this base (unknown) gives no right to publish an adapter of it",
            "take another base, or set train.licence where its authors name one elsewhere",
        ),
        (
            "",
            {},
            "The licence of this base (unknown) gives no right to publish an adapter of it",
            "take another base, or set train.licence where its authors name one elsewhere",
        ),
        (
            "---\nlicense: cc-by-nc-nd-4.0\n---\n",
            {},
            "The licence of this base (cc-by-nc-nd-4.0) gives no right to publish an adapter of it",
            "take another base, or set train.licence where its authors name one elsewhere",
        ),
        (
            "---\nlicense: apache-2.0\n---\n",
            {"licence": "mit"},
            "The recipe names the licence mit, the base's card apache-2.0",
            "read the base's page, then set train.licence to apache-2.0 or pin another train.base_revision",
        ),
    ],
    ids=["no licence", "no metadata", "no derivatives", "another licence"],
)
def test_a_licence_that_will_not_do_is_refused(
    hub: Hub,
    rows: HfUri,
    empty: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    card: str,
    settings: dict[str, Any],
    what: str,
    next_step: str,
) -> None:
    shutil.copytree(empty, tmp_path, dirs_exist_ok=True)
    (tmp_path / "README.md").write_text(card)
    name = "licence-" + request.node.callspec.id.replace(" ", "-")
    error = refusal(hub, tmp_path, name, rows, settings)
    assert (error.what, error.next_step) == (what, next_step)


@pytest.mark.parametrize(
    ("template", "what"),
    [
        (architectures.UNMARKED, "has no generation prompt"),
        (architectures.THINKING, "does not go on from its generation prompt to the line"),
    ],
    ids=["unmarked", "thinking"],
)
def test_a_template_that_cannot_be_learnt_is_refused(
    hub: Hub, rows: HfUri, empty: Path, tmp_path: Path, request: pytest.FixtureRequest, template: str, what: str
) -> None:
    shutil.copytree(empty, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").write_text(template, encoding="utf-8")
    name = f"template-{request.node.callspec.id}"
    error = refusal(hub, tmp_path, name, rows, {})
    assert error.what == f"The chat template of this base {what}"
    assert error.where == f"{hub.namespace}/{name}"
    assert error.next_step == "set train.chat_template to hanjul, which takes ours"


def test_four_bits_without_cuda_are_refused(
    hub: Hub, rows: HfUri, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    error = refusal(hub, empty, "four-bits", rows, {"quantize": "4bit"})
    assert str(error) == "4-bit training needs a CUDA device (train.quantize) → set train.quantize to none"


def test_too_little_memory_is_refused(hub: Hub, rows: HfUri, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 2**10})())
    error = refusal(hub, empty, "no-memory", rows, {})
    assert re.fullmatch(r"Training needs about \d+\.\d GiB of memory, 0\.0 GiB are free", error.what)
    assert error.next_step.startswith("lower train.batch_size")


@pytest.mark.parametrize("column", ["prompt", "completion", "source"])
def test_a_dataset_without_a_column_is_refused(hub: Hub, empty: Path, tmp_path: Path, column: str) -> None:
    language_model.rows(16).remove_columns(column).to_parquet(tmp_path / "train.parquet")
    data = upload(hub, "dataset", f"without-{column}", tmp_path)
    error = refusal(hub, empty, f"base-without-{column}", data, {})
    assert (error.what, error.where) == (f"No column {column} in split train of config default", data.to_uri())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trust_remote_code": True}, "trust_remote_code needs base_revision as a full commit sha"),
        ({"trust_remote_code": True, "base_revision": "main"}, "needs base_revision as a full commit sha"),
        ({"trust_remote_code": True, "base_revision": "0" * 39}, "needs base_revision as a full commit sha"),
        ({"method": "dpo"}, "method dpo needs `start`"),
        ({"start": "hf://models/team/adapter"}, "only dpo takes one"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainSettings(**settings)
    assert TrainSettings(trust_remote_code=True, base_revision="0" * 40).base_revision == "0" * 40
