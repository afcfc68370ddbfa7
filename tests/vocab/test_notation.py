"""FACS notation: printed, parsed, checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefacs.errors import ConfigError
from livefacs.vocab.notation import (
    LIP_CODES,
    Score,
    exclusion_errors,
    parse_notation,
    print_notation,
)

SIDED = st.builds(
    Score,
    st.sampled_from(["1", "2", "12", "45", "61", "M59"]),
    st.sampled_from(["", *"ABCDE"]),
    st.sampled_from(["", *"LRUA"]),
)
LIPS = st.builds(
    Score,
    st.sampled_from(sorted(LIP_CODES)),
    st.sampled_from(["", *"ABCDE"]),
    lip=st.sampled_from(["T", "B"]),
)


@given(st.lists(SIDED | LIPS, min_size=1, max_size=6, unique_by=str))
def test_what_is_printed_is_read_again(scores):
    text = print_notation(scores)
    assert set(parse_notation(text)) == set(scores)
    assert print_notation(parse_notation(text)) == text


def test_position_tells_prefix_from_letter():
    assert parse_notation("B28") == (Score("28", lip="B"),)
    assert parse_notation("A12B") == (Score("12", "B", "A"),)
    assert parse_notation("r12b + au1c") == (Score("12", "B", "R"), Score("1", "C"))


def test_sorted_by_number():
    assert print_notation(parse_notation("26+5B+1C+2C")) == "1C+2C+5B+26"


@pytest.mark.parametrize(
    ("text", "said"), [("12F", "'12F'"), ("", "''"), ("78", "no code 78"), ("T12", "one lip")]
)
def test_errors(text, said):
    with pytest.raises(ConfigError, match="not FACS notation") as raised:
        parse_notation(text)
    assert any(said in error for error in raised.value.errors)


def test_all_errors_together():
    with pytest.raises(ConfigError) as raised:
        parse_notation("12X+1C+99")
    assert len(raised.value.errors) == 2


@pytest.mark.parametrize(
    ("text", "is_error"),
    [
        ("51+52", True),
        ("61+63", False),
        ("26+27", True),
        ("L5+R45", False),
        ("L5+L45", True),
        ("T22+B28", False),
        ("22+28", True),
    ],
)
def test_exclusions(text, is_error):
    assert bool(exclusion_errors(parse_notation(text))) == is_error


def test_unconfirmed_rules_say_so():
    assert "unconfirmed" not in exclusion_errors(parse_notation("51+52"))[0]
    assert "unconfirmed" in exclusion_errors(parse_notation("26+27"))[0]
