from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataset_card.changes import KEPT, Changes, changelog, compare

BEFORE = {"a": "default", "b": "default", "c": "default", "d": "near_duplicate", "e": "leak"}
AFTER = {"a": "default", "b": "leak", "d": "default", "e": "leak", "f": "default", "g": "length"}
FIRST = """# Changelog

<!-- hanjul:version v0.1.0 -->
## v0.1.0 (2026-01-31)

- 첫 버전: `default` 1,234행
- First version: 1,234 rows in `default`

<!-- /hanjul:version -->
"""
SECOND = """# Changelog

<!-- hanjul:version v0.2.0 -->
## v0.2.0 (2026-02-28)

- `default` 3행. v0.1.0 이후 2행이 들어오고 2행이 빠졌습니다. 1행은 그대로입니다.
- 3 rows in `default`: 2 added, 2 removed and 1 kept since v0.1.0.
- `default → leak`: 1
- `near_duplicate → default`: 1

<!-- /hanjul:version -->

"""
PLACES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([KEPT, "leak", "length"]))


def test_compare_says_exactly_this():
    assert compare(BEFORE, AFTER, "v0.1.0") == Changes(
        since="v0.1.0",
        added=2,
        removed=2,
        kept=1,
        moved={"default → leak": 1, "near_duplicate → default": 1},
    )


@given(PLACES, PLACES)
def test_the_numbers_add_up(before, after):
    changes = compare(before, after, "v1")
    assert changes.kept + changes.removed == sum(place == KEPT for place in before.values())
    assert changes.kept + changes.added == sum(place == KEPT for place in after.values())
    assert sum(changes.moved.values()) == sum(before[row] != after[row] for row in before.keys() & after.keys())
    left = sum(count for move, count in changes.moved.items() if move.startswith(KEPT))
    came = sum(count for move, count in changes.moved.items() if move.endswith(KEPT))
    assert left <= changes.removed and came <= changes.added
    assert list(changes.moved.values()) == sorted(changes.moved.values(), reverse=True)


@given(PLACES)
def test_nothing_changed_is_nothing(places):
    kept = sum(place == KEPT for place in places.values())
    assert compare(places, places, "v1") == Changes("v1", 0, 0, kept, {})


def test_a_changelog_grows_from_the_top():
    first = changelog("", "v0.1.0", "2026-01-31", None, 1234)
    assert first == FIRST
    second = changelog(first, "v0.2.0", "2026-02-28", compare(BEFORE, AFTER, "v0.1.0"), 3)
    assert second == SECOND + FIRST.removeprefix("# Changelog\n\n")


def test_a_version_made_again_replaces_its_own_section():
    second = changelog(FIRST, "v0.2.0", "2026-02-28", compare(BEFORE, AFTER, "v0.1.0"), 3)
    again = changelog(second, "v0.1.0", "2026-03-01", None, 5)
    assert again == second.replace("(2026-01-31)", "(2026-03-01)").replace("1,234", "5")
    assert changelog(again, "v0.1.0", "2026-03-01", None, 5) == again


def test_v0_1_0_is_not_v0_1_00_nor_v0x1x0():
    assert changelog(FIRST, "v0.1.00", "2026-03-01", None, 5).count("## v0.1.0") == 2
    assert changelog(FIRST, "v0x1x0", "2026-03-01", None, 5).endswith(FIRST.removeprefix("# Changelog\n\n"))


def test_what_a_person_wrote_stays():
    by_hand = FIRST.replace("# Changelog\n", "# 바뀐 것\n\n손으로 쓴 머리말\n") + "\n## 옛날\n\n- 손으로 쓴 기록\n"
    found = changelog(by_hand, "v0.2.0", "2026-02-28", Changes("v0.1.0", 1, 0, 5, {}), 6)
    assert found.startswith("# 바뀐 것\n\n손으로 쓴 머리말\n\n<!-- hanjul:version v0.2.0 -->\n## v0.2.0 (2026-02-28)\n")
    assert found.endswith(by_hand[by_hand.index("<!-- hanjul") :])


@given(st.text(st.sampled_from("가a#-<>! \n") | st.characters(codec="utf-8")), st.sampled_from(["", FIRST, SECOND]))
def test_no_text_is_lost(written, ours):
    existing = ours + written
    found = changelog(existing, "v0.3.0", "2026-03-31", None, 1)
    section = found[found.index("<!-- hanjul:version v0.3.0 -->") :].partition("<!-- /hanjul:version -->")[0]
    rest = found.replace(section + "<!-- /hanjul:version -->", "")
    assert rest.removeprefix("# Changelog").split() == existing.removeprefix("# Changelog").split()
    assert changelog(found, "v0.3.0", "2026-03-31", None, 1) == found
