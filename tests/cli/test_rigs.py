from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from livefacs.cli.main import main
from livefacs.formats.au_csv import performance_from_csv
from livefacs.formats.curves import ExportOptions, performance_from_take, values_from_take
from livefacs.resources import user_rigs_folder
from livefacs.retarget.library import load_map, load_rig, rig_names
from livefacs.retarget.retargeter import Retargeter
from livefacs.vocab.facs import AU_CHANNELS
from livefacs.vocab.schemes import user_schemes_folder
from tests.retarget.making import frame, write_map
from tests.take.synthetic import make_take


@pytest.fixture
def aus(tmp_path: Path) -> Path:
    """Ten frames in which every action comes and goes by itself."""
    path = tmp_path / "aus.csv"
    lines = ["frame,seconds," + ",".join(AU_CHANNELS)]
    for i in range(len(AU_CHANNELS) * 2):
        values = (
            "1" if i // 2 == channel and i % 2 else "0" for channel in range(len(AU_CHANNELS))
        )
        lines.append(f"{i},{i / 30:.4f}," + ",".join(values))
    path.write_text("\n".join(lines) + "\n")
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    """Exit code, what went out, what went to the error stream."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    said = capsys.readouterr()
    code = end.value.code
    return code if isinstance(code, int) else 0, said.out, said.err


def test_list_names_every_map(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "rigs", "list")
    assert code == 0
    for name in rig_names():
        assert name in out


def test_list_tells_of_a_users_broken_map_and_lists_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    user_rigs_folder().mkdir(parents=True)
    write_map(user_rigs_folder(), "[controls.x]\nterms = { AU99 = 1 }\n", "broken")
    code, out, err = run(capsys, "rigs", "list")
    assert code == 2
    assert "has errors" in out
    assert "arkit52" in out
    assert "AU99" in err


def test_show_prints_a_readable_map(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "rigs", "show", "arkit52")
    assert code == 0
    assert "mouthSmileLeft|Right" in out
    assert "AU12_L|R" in out
    assert "tongue" in out


def test_show_prints_codes_where_the_user_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    user_schemes_folder().mkdir(parents=True)
    (user_schemes_folder() / "callifacs.toml").write_text(
        '[[movements]]\nname = "x"\ncode = "AU777"\ncontrols = ["frontalis"]\n'
    )
    _, out, _ = run(capsys, "rigs", "show", "marmoset")
    assert "AU777" in out


def test_check_reports_coverage_and_limits(
    capsys: pytest.CaptureFixture[str], aus: Path, tmp_path: Path
) -> None:
    path = write_map(tmp_path, "[controls.jaw]\nterms = { AU26 = 2.0 }\n")
    code, out, _ = run(capsys, "rigs", "check", path, "--along", aus)
    assert code == 0
    assert "no errors" in out
    assert "actions never used" in out
    assert "AU12" in out
    assert "limits hit" in out


def test_check_of_a_broken_map_ends_with_2_and_every_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write_map(tmp_path, "[controls.a]\nterms = { AU99 = 1 }\n[controls.b]\ngian = 1\n")
    code, _, err = run(capsys, "rigs", "check", path)
    assert code == 2
    assert "AU99" in err
    assert "gian" in err
    assert "Traceback" not in err


def test_fit_writes_a_map_that_loads(
    capsys: pytest.CaptureFixture[str], aus: Path, tmp_path: Path
) -> None:
    jaw, pucker = AU_CHANNELS.index("AU26") * 2 + 1, AU_CHANNELS.index("AU18") * 2 + 1
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(
        f"frame,jawOpen,mouthPucker,tongueOut\n0,0,0,0\n{jaw},0.5,0,0\n{pucker},0,0.9,0\n2,0,0,0\n"
    )
    made = tmp_path / "made.toml"
    words = ("rigs", "fit", pairs, "--along", aus, "--to", made, "--base", "arkit52")
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "left as in arkit52: tongueOut" in out
    rules = {rule.name: rule for rule in load_map(made).rules}
    assert len(rules) == 52
    assert rules["jawOpen"].terms["AU26"] == pytest.approx(0.5, abs=0.1)
    assert rules["mouthPucker"].terms["AU18"] == pytest.approx(0.9, abs=0.1)
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "--overwrite" in err


def test_fit_refuses_a_place_from_which_the_base_cannot_be_found(
    capsys: pytest.CaptureFixture[str], aus: Path, tmp_path: Path
) -> None:
    base = write_map(tmp_path, "[controls.jaw]\nterms = { AU26 = 1.0 }\n", "base")
    (tmp_path / "elsewhere").mkdir()
    made = tmp_path / "elsewhere" / "made.toml"
    words = ("rigs", "fit", tmp_path / "pairs.csv", "--along", aus, "--to", made, "--base", base)
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "could not find base.toml from there" in err
    assert not made.exists()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_preview_draws_a_contact_sheet(
    capsys: pytest.CaptureFixture[str], aus: Path, tmp_path: Path, suffix: str
) -> None:
    path = write_map(tmp_path, "[controls.jaw]\nterms = { AU26 = 1.0 }\n")
    sheet = tmp_path / f"sheet{suffix}"
    code, out, _ = run(capsys, "rigs", "preview", path, "--along", aus, "--to", sheet)
    assert code == 0
    assert "1 controls" in out
    begins = sheet.read_bytes()[:200]
    assert begins.startswith(b"\x89PNG") if suffix == ".png" else b"<svg" in sheet.read_bytes()


def test_preview_refuses_other_files(
    capsys: pytest.CaptureFixture[str], aus: Path, tmp_path: Path
) -> None:
    code, _, err = run(capsys, "rigs", "preview", "arkit52", "--along", aus, "--to", "x.jpg")
    assert code == 2
    assert ".png, .svg, .pdf" in err
    code, _, err = run(capsys, "rigs", "preview", "arkit52", "--along", tmp_path / "no.csv")
    assert code == 2
    assert "does not exist" in err


def test_card_of_an_action(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "au", "12")
    assert code == 0
    assert "Lip corner puller" in out
    assert "zygomaticus major" in out
    assert "AU12_L, AU12_R" in out
    code, out, _ = run(capsys, "au", "m59")
    assert "not measured" in out


def test_table_of_actions_and_of_a_scheme(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "au")
    assert "AD34_L" in out
    _, out, _ = run(capsys, "au", "--scheme", "callifacs")
    assert "Callithrix" in out
    _, out, _ = run(capsys, "au", "EAU1", "--scheme", "maqfacs")
    assert "ears forward" in out


def test_unknown_actions_and_schemes(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("au", "999"), ("au", "--scheme", "x"), ("au", "1", "--scheme", "callifacs")):
        code, _, err = run(capsys, *words)
        assert code == 2
        assert err.startswith("livefacs: ")


SLOW = """
[controls.jaw]
terms = { AU26 = 1.0 }
smoothing = { time_constant_ms = 800 }
[controls.smile]
terms = { AU12 = 1.0 }
"""


def test_along_a_take_a_map_gives_what_it_gives_live(tmp_path: Path) -> None:
    """Smoothing starts anew after a gap, and one unknown side leaves the other's value."""
    moments = [(0, 0.0), (40, 0.0), (80, 0.0), (2200, 1.0), (2240, 1.0)]
    units = [{"AU26": level, "AU12_L": 0.8, "AU12_R": math.nan} for _, level in moments]
    frames = [
        dataclasses.replace(frame(each, t_ns=ms * 1_000_000), i_frame=i)
        for i, (each, (ms, _)) in enumerate(zip(units, moments, strict=True))
    ]
    program = load_rig(write_map(tmp_path, SLOW))
    live = Retargeter(program)
    expected = np.stack([live.retarget(each).values for each in frames])
    assert expected[3].tolist() == pytest.approx([1.0, 0.8])  # not on its way from 0
    take = make_take(tmp_path / "take", frames)
    values = Retargeter(program).run(performance_from_take(take))
    assert values.tobytes() == expected.tobytes()
    table = tmp_path / "aus.csv"
    rows = [f"{i},{ms / 1000},{level},0.8," for i, (ms, level) in enumerate(moments)]
    table.write_text("\n".join(("frame,seconds,AU26,AU12_L,AU12_R", *rows)) + "\n")
    values = Retargeter(program).run(performance_from_csv(table))
    np.testing.assert_allclose(values, expected, atol=1e-6)
    _, exported = values_from_take(take, ExportOptions(rig=str(tmp_path / "rig.toml")))
    assert exported.tobytes() == expected.tobytes()
