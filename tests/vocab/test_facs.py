from __future__ import annotations

import math

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.vocab.facs import (
    ACTIONS,
    AU_CHANNELS,
    CHANNEL_INDEX,
    LETTER_FLOORS,
    MIRROR_ORDER,
    action_of,
    channels_of,
    code_table,
    find_code,
    letter_from_intensity,
)


def test_channels_are_unique_and_every_one_has_a_card() -> None:
    assert len(set(AU_CHANNELS)) == len(AU_CHANNELS)
    carded = {channel for code in code_table().values() for channel in code.channels}
    assert carded == set(AU_CHANNELS)


def test_mirroring_twice_changes_nothing_and_once_exchanges_sides_and_directions() -> None:
    order = np.array(MIRROR_ORDER)
    assert np.array_equal(order[order], np.arange(len(order)))
    for name, partner in (
        ("AU12_L", "AU12_R"),
        ("AD30_R", "AD30_L"),
        ("AU51", "AU52"),
        ("AU55", "AU56"),
        ("AU61", "AU62"),
        ("AU17", "AU17"),
        ("AU53", "AU53"),
    ):
        assert AU_CHANNELS[order[CHANNEL_INDEX[name]]] == partner


def test_actions_and_channels_lead_to_each_other() -> None:
    assert channels_of("AU12") == ("AU12_L", "AU12_R")
    assert channels_of("AU17") == ("AU17",)
    assert channels_of("AD30_L") == ("AD30_L",)
    assert {channel for action in ACTIONS for channel in channels_of(action)} == set(AU_CHANNELS)
    assert all(action_of(channel) in ACTIONS for channel in AU_CHANNELS)


def test_letters_begin_at_their_floors() -> None:
    for letter, floor in LETTER_FLOORS:
        assert letter_from_intensity(floor) == letter
        assert letter_from_intensity(floor - 1e-6) != letter
    assert letter_from_intensity(0.0) == ""
    assert letter_from_intensity(1.4) == "E"
    assert letter_from_intensity(math.nan) == ""


@pytest.mark.parametrize("text", ["12", "AU12", "au12_l", " AU12_R ", "012"])
def test_codes_are_found_as_people_write_them(text: str) -> None:
    assert find_code(text).name == "Lip corner puller"


def test_other_kinds_of_codes_and_unknown_ones() -> None:
    assert find_code("ad29").kind == "AD"
    assert find_code("M59").kind == "movement code"
    assert find_code("0").code == "0"
    with pytest.raises(ConfigError, match="expected a number such as 12"):
        find_code("zygomaticus")
