from __future__ import annotations

import warnings

from matplotlib.image import imread

from dataset_card.figures import REASON_NAMES, draw_figures
from pipelines.filters import REASONS
from tests.dataset_card.rows import facts, release


def test_pictures_are_drawn_without_a_missing_letter(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        paths = draw_figures(facts(), release()[0], tmp_path)
    assert paths == ["figures/acceptance.png", "figures/lengths.png", "figures/devices.png"]
    for path in paths:
        picture = imread(tmp_path / path)
        assert picture.shape[1] == 1080
        assert (picture[:, :, 3] == 1).all(), "it stands on dark pages too"
        assert picture[:, :, :3].min() < 0.2 < 0.9 < picture[:, :, :3].max()


def test_rows_without_devices_make_no_picture_of_them(tmp_path):
    assert draw_figures(facts("imported"), release("imported")[0], tmp_path) == [
        "figures/acceptance.png",
        "figures/lengths.png",
    ]


def test_every_reason_has_a_name():
    assert tuple(REASON_NAMES) == REASONS
