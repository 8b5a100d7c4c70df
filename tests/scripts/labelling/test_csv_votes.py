"""Votes from tables: what spreadsheets write, what people type, what nobody should."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import HanjulError
from pipelines.rows import normalise
from scripts.labelling.csv_votes import CHOICES, REQUIRED, votes_from_csv

HEAD = "product,values,line_a,line_b,choice,voter\n"
ROW = '제습기,"뽀송함, 1,000원",나,가,왼쪽,가람\n'


def read(tmp_path: Path, content: str | bytes):
    path = tmp_path / "votes.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (0, 0))
    return votes_from_csv(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_what_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    (vote,) = read(tmp_path, (HEAD + ROW + ",,,,,\n").replace("\n", "\r\n").encode(encoding))
    assert (vote.product, vote.values, vote.line_a, vote.line_b) == ("제습기", ("뽀송함", "1,000원"), "가", "나")
    assert (vote.choice, vote.shown_first, vote.voter, vote.question) == ("b", "b", "가람", "overall")
    assert (vote.seconds, vote.voted_at) == (None, "1970-01-01T00:00:00.000Z")


@pytest.mark.field
def test_a_table_as_an_import_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "votes[1].txt"
    line = "책\t['쉼', '여유']\t가\t나\t왼쪽\t가람\t\n"
    path.write_bytes((HEAD.strip().replace(",", "\t").upper() + "\t비고\n" + line).encode("utf-16"))
    (vote,) = votes_from_csv(path)
    assert (vote.values, vote.choice, vote.voter) == (("쉼", "여유"), "a", "가람")


@pytest.mark.field
@pytest.mark.parametrize("value", ["가성비·실속", "가성비,실속", "가성비;실속", "가성비、실속", "실속."])
def test_a_file_makes_the_items_that_it_always_made(tmp_path: Path, value: str) -> None:
    (vote,) = read(tmp_path, HEAD + f'책,"{value}, 쉼",가,나,a,가람\n')
    assert vote.values == (value, "쉼")


@pytest.mark.field
def test_a_file_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "votes.dat"
    path.write_text(HEAD + ROW, encoding="utf-8")
    assert len(votes_from_csv(path)) == 1


def test_optional_columns_and_all_words_for_a_choice(tmp_path: Path) -> None:
    rows = "".join(f"책,쉼|여유,가,나,{said},v{place},PV,s,t\n" for place, said in enumerate([*CHOICES, "Tie"]))
    votes = read(tmp_path, HEAD.strip() + ",Question,system_a,system_b\n" + rows)
    assert [vote.choice for vote in votes] == ["a"] * 3 + ["b"] * 3 + ["tie"] * 5
    assert {(vote.question, vote.system_a, vote.system_b, vote.values) for vote in votes} == {
        ("pv", "s", "t", ("쉼", "여유"))
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The input is empty"),
        (HEAD + "책,쉼,가,나,a\n", "Line 2 has 5 cells, and the first line 6"),
        (HEAD + "책,\"['쉼', '여\",가,나,a,가람\n", "Line 2: a list that cannot be read"),
        ("product,values,line_a,line_b,choice\n책,쉼,가,나,a\n", "There is no column voter (voter)"),
        (HEAD, "There are no rows"),
        (HEAD + ROW + "책,쉼,가,나,3,가람\n", "Line 3: choice is '3', expected one of a, 1, 왼쪽"),
        (HEAD + "책,쉼,가,가 ,a,가람\n", "Line 2: the two lines are the same"),
        (HEAD + "책, ,가,나,a,가람\n", "Line 2: product, values or a line is empty"),
        (HEAD + "책,쉼,가,나,a,me@example.com\n", "Line 2: voter is 'me@example.com', expected a pseudonym"),
        (HEAD + "책,쉼,가,나,a,\n", "Line 2: voter is '', expected a pseudonym"),
        (HEAD.strip() + ",question\n책,쉼,가,나,a,가람,best\n", "Line 2: question is 'best', expected one of overall"),
        (HEAD + '책,쉼,"가"나,나,a,가람\n', "After line 1: not CSV"),
        (HEAD.encode() + b"\xff\xff,a", "neither UTF-8 nor CP949"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(HanjulError) as error:
        read(tmp_path, content)
    assert said in str(error.value)
    assert str(error.value).count("Line") <= 1
    assert str(tmp_path / "votes.csv") in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HanjulError, match="cannot be read"):
        votes_from_csv(tmp_path / "no.csv")


TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12).filter(normalise)
WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12).filter(normalise)
NAME = TEXT.map(lambda text: text.replace("@", "")).filter(normalise)


@given(st.lists(st.tuples(TEXT, WORD, TEXT, TEXT, st.sampled_from("ab0"), NAME), min_size=1, max_size=5))
def test_whatever_a_cell_holds_comes_back(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    rows = [row for row in rows if normalise(row[2]) != normalise(row[3])] or [("책", "쉼", "가", "나", "a", "p")]
    file = io.StringIO(newline="")
    csv.writer(file).writerows([REQUIRED, *rows])
    votes = read(tmp_path_factory.getbasetemp(), "\ufeff" + file.getvalue())
    for vote, (product, values, a, b, choice, voter) in zip(votes, rows, strict=True):
        assert (vote.product, vote.voter) == (normalise(product), normalise(voter))
        assert vote.values == (normalise(values),)
        assert {vote.line_a, vote.line_b} == {normalise(a), normalise(b)}
        chosen = {"a": vote.line_a, "b": vote.line_b, "tie": "0"}[vote.choice]
        assert chosen == {"a": normalise(a), "b": normalise(b), "0": "0"}[choice]


@given(st.binary(max_size=200))
def test_any_bytes_are_votes_or_a_known_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    for start in (b"", HEAD.encode()):
        with pytest.raises(HanjulError):
            read(tmp_path_factory.getbasetemp(), start + content)
