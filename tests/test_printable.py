"""Foreign text: nothing that moves a cursor, nothing secret."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefacs.printable import plain_without_secrets, printable, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("over\rwritten\b", "over\\rwritten\\x08"),
        ("abc\u202efed", "abc\\u202efed"),
        ("\ud800", "\\ud800"),
        ("Ünïcödé 漢字\u00a0\u3000", "Ünïcödé 漢字\u00a0\u3000"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_nothing_but_lines_and_tabs_is_left_of_controls(text: str) -> None:
    for char in printable(text):
        assert char in "\n\t" or unicodedata.category(char)[0] != "C"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://me:secret@cam/1", "rtsp://me:…@cam/1"),
        ("rtsp://me:sec@ret@cam:554/1", "rtsp://me:…@cam:554/1"),
        ("rtsp://me:sec/ret@cam/1", "rtsp://me:…@cam/1"),
        ("rtsp://me:sec?ret#@cam/1", "rtsp://me:…@cam/1"),
        ("rtsp://TOKEN@cam/1", "rtsp://…@cam/1"),
        ("rtsp://cam:554/1", "rtsp://cam:554/1"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://cam/a@b.jpg", "http://cam/a@b.jpg"),
        ("http://cam/v?user=me&pwd=secret&x=1", "http://cam/v?user=me&pwd=…&x=1"),
        ("http://cam/v?loginpas=secret", "http://cam/v?loginpas=…"),
        ("http://cam/v?access_token=secret#t", "http://cam/v?access_token=…#t"),
        ("camera http://a:b@c/ and http://d:e@f/", "camera http://a:…@c/ and http://d:…@f/"),
        ("no address: me:secret@cam", "no address: me:secret@cam"),
    ],
)
def test_secrets_of_addresses_are_hidden(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_plain_values_are_walked() -> None:
    value = {"a": ["http://me:secret@cam/", 1, None, {"b": ("x", "rtsp://t@c")}], "c": 1.5}
    assert plain_without_secrets(value) == {
        "a": ["http://me:…@cam/", 1, None, {"b": ["x", "rtsp://…@c"]}],
        "c": 1.5,
    }
