"""A certificate of this machine's own, so that browsers of the network let a page have a camera."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livefacs.errors import SourceError
from livefacs.files.atomic import write_bytes
from livefacs.files.bounded_reading import read_bytes
from livefacs.files.private import make_private_folder
from livefacs.resources import user_data_folder

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509 import Certificate

_VALID_DAYS: Final = 397  # browsers take no longer ones
_LEAST_LEFT: Final = timedelta(days=7)
_MOST_BYTES: Final = 64 * 1024
_NEEDS: Final = (
    "a camera page on the network needs HTTPS, and that the package cryptography: "
    'pip install "livefacs[phone]"'
)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate with its key, in one file.

    Attributes
    ----------
    path : Path
        PEM, only the user may read it.
    fingerprint : str
        SHA-256 of the certificate, as browsers show it: ``AB:CD:…``.
    is_new : bool
        True where it was made just now.
    """

    path: Path
    fingerprint: str
    is_new: bool

    def context(self) -> ssl.SSLContext:
        """For a server that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.path)
        return context


def own_certificate(hosts: Iterable[str], now: datetime | None = None) -> OwnCertificate:
    """The certificate of earlier times, or a new one where that ends soon or lacks a host.

    Parameters
    ----------
    hosts : iterable of str
        Names and addresses under which the page is asked for.
    now : datetime or None
        With its zone; None: now.

    Raises
    ------
    SourceError
        The package for it is not installed, or the user's folder cannot be written.
    """
    try:
        from cryptography import x509  # noqa: F401  # an extra: told in words where it is missing
    except ImportError:
        raise SourceError(_NEEDS) from None
    now = datetime.now(UTC) if now is None else now
    folder = user_data_folder() / "camera"
    path, wanted = (
        folder / "certificate.pem",
        {host.strip("[]").lower() for host in hosts if host.isascii()},
    )
    try:
        make_private_folder(folder)
        found = _usable(path, wanted, now)
        if found is not None:
            return OwnCertificate(path, _fingerprint(found), is_new=False)
        pem, made = _made(wanted, now)
        write_bytes(path, pem, private=True)
    except OSError as error:
        raise SourceError(
            f"{path}: the camera page's certificate cannot be kept there ({error}); expected a"
            " folder that only you may write (LIVEFACS_HOME names another)"
        ) from None
    return OwnCertificate(path, _fingerprint(made), is_new=True)


def _usable(path: Path, wanted: set[str], now: datetime) -> Certificate | None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            return None  # others could read the key
        pem = read_bytes(path, _MOST_BYTES)
        certificate = x509.load_pem_x509_certificate(pem)
        key = load_pem_private_key(pem, None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return None
    known = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    known |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    is_ours = key.public_key() == certificate.public_key()
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    in_time = starts <= now and now + _LEAST_LEFT <= ends
    return certificate if is_ours and in_time and wanted <= known else None


def _made(hosts: set[str], now: datetime) -> tuple[bytes, Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "livefacs camera page")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be slow
        .not_valid_after(now + timedelta(days=_VALID_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName(_general_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + made.public_bytes(serialization.Encoding.PEM), made


def _general_names(hosts: set[str]) -> list[x509.GeneralName]:
    from cryptography import x509

    names: list[x509.GeneralName] = []
    for host in sorted(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _fingerprint(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives import hashes

    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
