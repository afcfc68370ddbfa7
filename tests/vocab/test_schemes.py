from __future__ import annotations

import pytest

from livefacs.errors import ConfigError
from livefacs.vocab.facs import AU_CHANNELS, code_table
from livefacs.vocab.schemes import load_scheme, scheme_names, user_schemes_folder


def test_human_facs_is_complete() -> None:
    scheme = load_scheme("facs")
    assert [row.code for row in scheme.movements] == list(code_table())
    measured = {channel for row in scheme.movements for channel in row.controls}
    assert measured == set(AU_CHANNELS)


@pytest.mark.parametrize("name", [name for name in scheme_names() if name != "facs"])
def test_animal_schemes_say_how_far_they_are_confirmed(name: str) -> None:
    scheme = load_scheme(name)
    assert "confirmed" in scheme.status or "rows" in scheme.status
    assert scheme.species
    assert scheme.counts or scheme.movements
    for row in scheme.movements:
        assert set(row.human) <= set(code_table())


def test_callifacs_has_muscles_and_counts_but_no_codes() -> None:
    scheme = load_scheme("callifacs")
    assert scheme.counts == {"AU": 15, "AD": 15, "EAD": 3}
    assert "frontalis" in {row.muscle for row in scheme.movements}
    assert not any(row.code for row in scheme.movements)


def test_whoever_has_the_manual_adds_its_codes() -> None:
    folder = user_schemes_folder()
    folder.mkdir(parents=True)
    (folder / "callifacs.toml").write_text(
        '[[movements]]\nname = "an action from the manual"\ncode = "AU999"\nkind = "AU"\n'
        'muscle = "frontalis"\ncontrols = ["frontalis"]\nconfirmed = true\n'
    )
    scheme = load_scheme("callifacs")
    assert scheme.codes_of_control("frontalis") == ("AU999",)
    assert scheme.title == "CalliFACS"
    assert len(scheme.movements) == 16


def test_a_users_own_scheme() -> None:
    folder = user_schemes_folder()
    folder.mkdir(parents=True)
    (folder / "dragonfacs.toml").write_text(
        'title = "DragonFACS"\nspecies = "dragon"\nsource = "own"\nstatus = "own"\n'
        '[[movements]]\nname = "crest up"\ncode = "C1"\n'
    )
    assert "dragonfacs" in scheme_names()
    assert load_scheme("dragonfacs").movements[0].code == "C1"


def test_errors_of_a_scheme_file_come_together() -> None:
    folder = user_schemes_folder()
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text(
        'titel = "x"\ncounts = 3\n[[movements]]\ncode = 5\n[[movements]]\nname = "a"\n'
        'huamn = ["1"]\nhuman = "1"\nconfirmed = "yes"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_scheme("bad")
    for words in (
        "title: is missing",
        "titel: unknown key; did you mean 'title'",
        "counts: expected a table",
        "bad.toml:3: movements[1].name: is missing",
        "bad.toml:4: movements[1].code: expected a text, got 5",
        "bad.toml:7: movements[2].huamn: unknown key; did you mean 'human'",
        "bad.toml:8: movements[2].human: expected a list of texts",
        "bad.toml:9: movements[2].confirmed: expected true or false",
    ):
        assert any(words in error for error in caught.value.errors), words


def test_unknown_and_unreadable_schemes() -> None:
    with pytest.raises(ConfigError, match="expected one of facs"):
        load_scheme("klingon")
    folder = user_schemes_folder()
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("= 3")
    with pytest.raises(ConfigError, match=r"broken.toml:1: not TOML"):
        load_scheme("broken")
