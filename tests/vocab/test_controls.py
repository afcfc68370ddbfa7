from __future__ import annotations

import pytest

from livefacs.errors import ConfigError
from livefacs.vocab.arkit import ARKIT_52, LIVELINK_61
from livefacs.vocab.controls import CONTROL_SETS, control_names, control_set
from livefacs.vocab.vrm import VRM1_FROM_VRM0, VRM1_PRESETS


@pytest.mark.parametrize("name", CONTROL_SETS)
def test_every_set_says_its_source_and_has_sound_ranges(name: str) -> None:
    known = control_set(name)
    assert known.title
    assert known.source
    assert known.status
    assert len(set(known.names)) == len(known.names)
    assert set(known.ranges) <= set(known.names)
    for low, high in known.ranges.values():
        assert low < high


def test_unknown_set() -> None:
    with pytest.raises(ConfigError, match="expected one of arkit52"):
        control_set("arkit")


def test_arkit_order_is_that_of_the_packet() -> None:
    assert len(ARKIT_52) == 52
    assert len(LIVELINK_61) == 61
    assert [name[0].upper() + name[1:] for name in ARKIT_52] == list(LIVELINK_61[:52])
    assert ARKIT_52[17] == "jawOpen"


def test_vrm_presets_translate() -> None:
    assert set(VRM1_FROM_VRM0) == set(control_names("vrm0"))
    assert set(VRM1_FROM_VRM0.values()) == set(VRM1_PRESETS) - {"surprised"}
