"""The camera page on the network: HTTPS with a certificate of one's own, and a token."""

from __future__ import annotations

import builtins
import hashlib
import os
import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from livefacs.errors import SourceError
from livefacs.resources import user_data_folder
from livefacs.sources.browser import BrowserSource
from livefacs.sources.certificate import own_certificate
from tests.sources.camera_page import PageEnd, grey
from tests.support.waiting import PATIENCE_S

pytest.importorskip("cryptography")

TOKEN = "livefacs-camera"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def source(told: list[str]) -> Iterator[BrowserSource]:
    opened = BrowserSource("browser://*:0", notify=told.append)
    yield opened
    opened.close()


def trusting(source: BrowserSource) -> ssl.SSLContext:
    """Trusts the certificate that the source shows, and nothing else."""
    assert source.certificate is not None
    shown = ssl.get_server_certificate(("127.0.0.1", source.port), timeout=PATIENCE_S)
    return ssl.create_default_context(cadata=shown)


def token_of(source: BrowserSource) -> str:
    return source.url.partition("?token=")[2]


def test_the_page_is_served_over_https_to_who_has_the_token(source: BrowserSource) -> None:
    here = f"https://127.0.0.1:{source.port}/camera"
    with httpx.Client(verify=trusting(source), trust_env=False) as client:
        assert client.get(here).status_code == 403
        assert client.get(f"{here}?token=guess").status_code == 403
        welcome = client.get(f"{here}?token={token_of(source)}")
        assert welcome.status_code == 303
        assert welcome.headers["location"] == "/camera"
        for word in ("HttpOnly", "Secure", "SameSite=lax"):
            assert word in welcome.headers["set-cookie"]
        assert client.get(here).status_code == 200  # the cookie is enough from now on
        stranger = {"Host": f"evil.example:{source.port}"}
        assert client.get(here, headers=stranger).status_code == 403


def test_pictures_come_over_https_to_who_has_the_cookie(source: BrowserSource) -> None:
    context = trusting(source)
    with pytest.raises(InvalidStatus) as refused:
        PageEnd(source.port, ssl=context)
    assert refused.value.response.status_code == 403
    wrong = {"Cookie": f"{TOKEN}=guess"}
    with pytest.raises(InvalidStatus):
        PageEnd(source.port, ssl=context, additional_headers=wrong)
    cookie = {"Cookie": f"{TOKEN}={token_of(source)}"}
    with pytest.raises(InvalidStatus):
        PageEnd(source.port, ssl=context, additional_headers=cookie, origin="https://evil.example")
    page = PageEnd(source.port, ssl=context, additional_headers=cookie).begin()
    page.send(grey())
    frame = source.newest(PATIENCE_S)
    page.close()
    assert frame is not None
    assert frame.image.shape == (48, 64, 3)


def test_plain_http_gets_nothing(source: BrowserSource) -> None:
    with socket.create_connection(("127.0.0.1", source.port), PATIENCE_S) as client:
        client.settimeout(PATIENCE_S)
        client.sendall(b"GET /camera HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        try:
            answer = client.recv(4096)
        except ConnectionError:
            answer = b""
        assert b"HTTP/" not in answer


def test_address_fingerprint_and_code_are_told_and_the_token_nowhere_else(
    source: BrowserSource, told: list[str]
) -> None:
    pytest.importorskip("segno")
    shown = ssl.get_server_certificate(("127.0.0.1", source.port), timeout=PATIENCE_S)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest().upper()
    pairs = ":".join(digest[i : i + 2] for i in range(0, 64, 2))
    assert source.url.startswith("https://")
    assert any(source.url in sentence for sentence in told)
    assert pairs in told
    assert "▄" in told[0] or "█" in told[0]
    token = token_of(source)
    assert len(token) >= 20
    assert token not in f"{source.description} {source.notices} {source.closing_notices()}"


def test_loopback_needs_neither_certificate_nor_token() -> None:
    source = BrowserSource("browser://:0")
    source.close()
    assert source.certificate is None
    assert source.url == f"http://127.0.0.1:{source.port}/camera"
    assert not (user_data_folder() / "camera").exists()


def test_the_certificate_is_kept_privately_and_used_again() -> None:
    first = own_certificate({"localhost", "127.0.0.1", "[::1]"})
    assert first.is_new
    if os.name == "posix":
        assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700
    again = own_certificate({"127.0.0.1"})
    assert (again.fingerprint, again.is_new) == (first.fingerprint, False)
    other = own_certificate({"127.0.0.1", "192.0.2.7"})
    assert other.is_new
    assert other.fingerprint != first.fingerprint


def test_one_that_ends_soon_is_made_anew() -> None:
    first = own_certificate({"localhost"})
    later = datetime.now(UTC) + timedelta(days=380)
    assert own_certificate({"localhost"}, later).fingerprint == first.fingerprint
    later += timedelta(days=12)
    assert own_certificate({"localhost"}, later).is_new


@pytest.mark.parametrize("damage", ["rubbish", "cut off", "open to others", "a link"])
def test_one_that_cannot_be_used_is_made_anew(damage: str, tmp_path: Path) -> None:
    first = own_certificate({"localhost"})
    pem = first.path.read_bytes()
    if damage == "rubbish":
        first.path.write_bytes(b"\xff" * 100)
    elif damage == "cut off":
        first.path.write_bytes(pem[: len(pem) // 2])
    elif damage == "open to others":
        if os.name != "posix":
            pytest.skip("this system has other rights")
        first.path.chmod(0o644)
    else:
        elsewhere = tmp_path / "certificate.pem"
        elsewhere.write_bytes(pem)
        elsewhere.chmod(0o600)
        first.path.unlink()
        first.path.symlink_to(elsewhere)
    made = own_certificate({"localhost"})
    assert made.is_new
    assert not made.path.is_symlink()
    made.context()


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "cryptography":
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceError, match=r'pip install "livefacs\[phone\]"'):
        BrowserSource("browser://*:0")


def test_a_folder_that_is_not_the_users_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.name != "posix":
        pytest.skip("this system has other rights")
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera").chmod(0o777)
    monkeypatch.setenv("LIVEFACS_HOME", str(tmp_path))
    with pytest.raises(SourceError, match="certificate cannot be kept"):
        own_certificate({"localhost"})
