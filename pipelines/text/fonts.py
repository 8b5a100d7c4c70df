"""The font of figures: one that has Hangul."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from matplotlib import font_manager

from pipelines.errors import HanjulError


def hangul_font() -> str:
    """Family name of the font that koreanize-matplotlib carries, registered with matplotlib.

    The package is only looked up: importing it needs `distutils` and changes matplotlib's settings for everyone.

    Raises:
        HanjulError: the package is not installed.
    """
    spec = find_spec("koreanize_matplotlib")
    if spec is None or not spec.origin:
        raise HanjulError("The font for figures is missing", next_step="run `pip install koreanize-matplotlib`")
    for font in sorted((Path(spec.origin).parent / "fonts").glob("*.ttf")):
        font_manager.fontManager.addfont(font)
    return "NanumGothic"
