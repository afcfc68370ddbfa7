from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.config import SessionOptions, find_config, list_configs, load_options
from livefacs.errors import ConfigError


def test_the_default_file_says_what_the_code_says() -> None:
    assert load_options("default", {}) == SessionOptions()


def test_every_shipped_configuration_loads() -> None:
    assert "default" in list_configs()
    for name in list_configs():
        load_options(name, {})


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('seconds = 3.0\n[source]\nspec = "clip.mp4"\nwidth = 1280\n')
    options = load_options(str(file), {"source": {"spec": "demo", "width": None}, "seconds": None})
    assert options.source.spec == "demo"
    assert options.source.width == 1280
    assert options.seconds == 3.0


def test_all_errors_are_told_at_once_with_suggestions(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[source]\nwidht = 3\nheight = "tall"\n[sream]\nto = []\n[tracking]\nmodel = 3\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_options(str(file), {})
    text = str(caught.value)
    assert str(file) in text
    assert f"{file}:2: source.widht: unknown key; did you mean 'width'?" in text
    assert "'tall'" in text
    assert "did you mean 'stream'?" in text
    assert "tracking.model" in text
    assert caught.value.exit_code == 2


def test_a_section_that_is_no_table_is_a_error(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("source = 3\n")
    with pytest.raises(ConfigError, match="source"):
        load_options(str(file), {})


@pytest.mark.parametrize("content", ["[source\n", "a = = 2\n"])
def test_what_is_not_toml_is_said_with_the_place(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"mine.toml:\d: not TOML"):
        load_options(str(file), {})


def test_unknown_name_suggests_a_near_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'default'"):
        find_config("defalt")


def test_what_the_command_line_got_wrong_is_not_the_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[source]\nwidth = 640\nheight = 1\n")
    with pytest.raises(ConfigError) as caught:
        load_options(str(file), {"source": {"width": "wide"}})
    width, height = sorted(caught.value.errors, key=lambda words: "height" in words)
    assert width.startswith("source.width: expected a valid integer")
    assert height.startswith(f"{file}:3: source.height: expected")
