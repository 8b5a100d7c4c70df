from __future__ import annotations

import warnings

import pytest
from matplotlib.image import imread

from dataset_card.facts import gather
from dataset_card.figures.distributions import DEVICE_NAMES
from dataset_card.figures.draw import PATHS, draw_figures
from pipelines.filters.filter_rows import REASONS
from pipelines.planning.taxonomy import load_craft
from tests.dataset_card.rows import GIVEN, PRODUCED, facts, release


@pytest.fixture(autouse=True)
def missing_letters_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a missing glyph, or a layout that does not fit
        yield


def test_pictures_stand_on_any_page(tmp_path):
    paths = draw_figures(facts(), release()[0], tmp_path)
    assert paths == [f"figures/{name}.png" for name in ("acceptance", "quality", "lengths", "coverage", "scores")]
    assert tuple(paths) == PATHS
    for path in paths:
        picture = imread(tmp_path / path)
        assert picture.shape[1] == 1080
        assert (picture[:, :, 3] == 1).all(), "it stands on dark pages too"
        assert picture[:, :, :3].min() < 0.2 < 0.9 < picture[:, :, :3].max()


def test_rows_without_devices_and_scores_make_no_picture_of_them(tmp_path):
    paths = draw_figures(facts("imported"), release("imported")[0], tmp_path)
    assert paths == ["figures/acceptance.png", "figures/quality.png", "figures/lengths.png"]


@pytest.mark.field
def test_one_row_makes_pictures_of_what_it_has(tmp_path):
    kept = release()[0][2:3]
    assert len(draw_figures(gather(GIVEN, PRODUCED, kept, []), kept, tmp_path / "one")) == 5
    draw_figures(facts(), release()[0], tmp_path / "ten")
    one, ten = (imread(tmp_path / name / "figures/coverage.png").shape[0] for name in ("one", "ten"))
    assert ten - one == pytest.approx(6 * 0.34 * 300, abs=2)  # one device, and seven; the other eight nowhere


def test_every_device_has_a_name():
    assert set(DEVICE_NAMES) == set(load_craft().devices)


def test_every_reason_can_be_drawn(tmp_path):
    kept, (row, *_) = release()
    rejected = [row | {"reason": reason} for reason in REASONS]
    assert "figures/acceptance.png" in draw_figures(gather(GIVEN, PRODUCED, kept, rejected), kept, tmp_path)
