"""Load a base model the way it is trained: bfloat16 or 4-bit, with the attention that this machine has."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import util
from typing import Any

from pipelines.errors import HanjulError
from scripts.core.settings import TrainSettings
from scripts.training.encoding import with_chat_template


def load_config(base: str, revision: str | None, settings: TrainSettings) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(base, revision=revision, trust_remote_code=settings.trust_remote_code)


def model_class(config: Any) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM


def load_tokenizer(base: str, revision: str | None, settings: TrainSettings) -> Any:
    """Load the base's tokenizer with the chat template to train with; raises as `encoding.with_chat_template`."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base, revision=revision, trust_remote_code=settings.trust_remote_code)
    return with_chat_template(tokenizer, settings.chat_template, base)


def load_base(base: str, revision: str | None, tokenizer: Any, settings: TrainSettings) -> Any:
    """Load the base, ready for an adapter.

    Raises:
        HanjulError: an encoder-decoder is to learn preferences or packed rows, the checkpoint lacks weights.
    """
    import torch

    config = load_config(base, revision, settings)
    for needed, what in (
        (settings.method == "dpo", "DPO"),
        (settings.method == "judge", "A judge"),
        (settings.packing, "Packing"),
    ):
        if needed and config.is_encoder_decoder:
            raise HanjulError(f"{what} is for causal models, and this base is an encoder-decoder", base, "leave it out")
    options: dict[str, Any] = {"dtype": torch.bfloat16, "trust_remote_code": settings.trust_remote_code}
    if settings.quantize == "4bit":
        options["quantization_config"] = _four_bits()
    if torch.cuda.is_available():
        if util.find_spec("flash_attn") and not config.is_encoder_decoder:
            options["attn_implementation"] = "flash_attention_2"
        if settings.kernels:
            options["use_kernels"] = True
    model, report = model_class(config).from_pretrained(
        base, revision=revision, config=config, output_loading_info=True, **options
    )
    check_no_missing_weights(report["missing_keys"], base)
    if settings.quantize == "4bit":
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=settings.gradient_checkpointing)
    return with_special_tokens(tie_encoder_decoder(model), tokenizer) if config.is_encoder_decoder else model


def check_no_missing_weights(missing: Iterable[str], base: str) -> None:
    """Refuse a checkpoint that lacks weights of its model.

    Args:
        missing: weights that the model has and its checkpoint has not. transformers draws them at random with each
            load, so an adapter's users would have others than it was trained on.

    Raises:
        HanjulError: there are any, but for BERT's pooler, which no line goes through.
    """
    lacking = sorted(key for key in missing if ".pooler." not in key)
    if lacking:
        raise HanjulError(
            f"The checkpoint of this base lacks {len(lacking)} weights, {lacking[0]} among them",
            base,
            "pin a train.base_revision that is whole, or take another base",
        )


def _four_bits() -> Any:
    """NF4 with double quantisation: Dettmers et al. 2023, "QLoRA", section 3."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def tie_encoder_decoder(model: Any) -> Any:
    """Give an encoder-decoder whose config says `tie_encoder_decoder` one set of weights for both.

    transformers 5 reads the key and leaves two copies. What the encoder lacks (cross-attention, head) stays.
    """
    if not getattr(model.config, "tie_encoder_decoder", False):
        return model
    encoder = dict(model.encoder.named_modules())
    decoder = getattr(model.decoder, model.decoder.base_model_prefix, model.decoder)
    for name, module in decoder.named_modules():
        twin = encoder.get(name)
        for key, weight in (twin._parameters if twin is not None else {}).items():
            own = module._parameters.get(key)
            if weight is not None and own is not None and own.shape == weight.shape:
                module._parameters[key] = weight
    model.tie_weights()  # the head goes with the embeddings that are now the encoder's
    return model


def with_special_tokens(model: Any, tokenizer: Any) -> Any:
    """Tell an encoder-decoder which tokens begin, end and fill its lines."""
    model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = tokenizer.bos_token_id
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' bars of map and load, and their advice to direct callers, off stderr."""
    import datasets
    import transformers

    verbosity = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        datasets.enable_progress_bars()
        transformers.logging.enable_progress_bar()
        transformers.logging.set_verbosity(verbosity)
