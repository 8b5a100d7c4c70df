"""The adapter merged into its base, and the base alone, as transformers reads them."""

from __future__ import annotations

from typing import Any

from engines.loading import hub_answers


class Weights:
    """Models and tokenizer of an adapter, on the best device that is there.

    Attributes:
        tokenizer: the adapter's own, with its chat template.
        ends: tokens that end an answer.
    """

    def __init__(self, adapter: str, revision: str | None, base_model: str) -> None:
        import torch
        from transformers import AutoTokenizer

        self.adapter, self.revision, self.base_model = adapter, revision, base_model
        self._source: dict[str, Any] = {"local_files_only": not hub_answers(adapter, revision)}
        self.tokenizer: Any = AutoTokenizer.from_pretrained(adapter, revision=revision, **self._source)
        self.tokenizer.padding_side = "left"  # the next token stands at the end of every row
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._merged, self._base = self._on_device(self._with_adapter()), None
        if self._device == "cuda":  # it has room, and ZeroGPU lends only to what is there before the page is
            self.load_base()
        self.ends = self._ending_tokens()

    def model(self, base: bool) -> Any:
        """The merged model, or the base, which `load_base` has loaded."""
        return self._base if base else self._merged

    def load_base(self) -> None:
        """Load the base as well, unless it is there. On a CPU its memory is taken once somebody compares."""
        if self._base is None:
            self._base = self._on_device(self._plain())

    def _with_adapter(self) -> Any:
        """The merged model: PEFT's layers would take a quarter of the speed."""
        from peft import PeftModel

        # On ZeroGPU, PEFT would load onto a `cuda` that is not there yet, through pinned memory, and fail.
        options = {"revision": self.revision, "torch_device": "cpu", **self._source}
        model = PeftModel.from_pretrained(self._plain(), self.adapter, **options).merge_and_unload()
        # PEFT has frozen the base, and a frozen head is multiplied row by row, each with a copy of the head.
        return model.requires_grad_(True)

    def _plain(self) -> Any:
        import torch
        from peft import PeftConfig
        from transformers import AutoModelForCausalLM

        config = PeftConfig.from_pretrained(self.adapter, revision=self.revision, **self._source)
        revision = config.revision if config.base_model_name_or_path == self.base_model else None
        options = {"revision": revision, "dtype": torch.bfloat16, **self._source}
        model = AutoModelForCausalLM.from_pretrained(self.base_model, **options)
        if len(self.tokenizer) > model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(len(self.tokenizer))  # the adapter has tokens of its own
        return model

    def _on_device(self, model: Any) -> Any:
        return model.to(self._device).eval()

    def _ending_tokens(self) -> set[int]:
        """What ends an answer is the adapter's to say: its chat template may end turns otherwise than the base."""
        from transformers import GenerationConfig

        try:
            config = GenerationConfig.from_pretrained(self.adapter, revision=self.revision, **self._source)
        except OSError:
            config = self._merged.generation_config
        ends = config.eos_token_id
        return {self.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
