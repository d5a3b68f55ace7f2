"""The address of a cluster: where it is, and whether patients' data may go there."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from counterpulse.errors import UsageError

ENCRYPT = (
    "patients' data do not cross a network unencrypted: start the cluster with certificates and write tls://HOST:PORT "
    "(--cluster-certificate, --cluster-key, --cluster-authority)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files of the client's certificate, its key, and the authority that signed both sides' (PEM)."""

    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    def __post_init__(self) -> None:
        given = [path for path in (self.certificate, self.key, self.authority) if path is not None]
        if given and len(given) < 3:
            raise UsageError(
                "--cluster-certificate, --cluster-key and --cluster-authority belong together; give all three"
            )
        absent = [path for path in given if not path.is_file()]
        if absent:
            raise UsageError(f"{absent[0]} is not there; name the file of the certificate, key or authority")

    @property
    def given(self) -> bool:
        """Whether they were named; otherwise Dask's own configuration may."""
        return self.certificate is not None


def checked_address(address: str) -> str:
    """The address, if it can be one and data may go there.

    Raises
    ------
    UsageError : no tcp:// or tls:// address with a port, or one that is not encrypted and not on this machine
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("tcp", "tls") and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"--cluster {address}: write it as tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine")
    if not is_private(address):
        raise UsageError(f"--cluster {address}: {ENCRYPT}")
    return address


def is_private(address: str) -> bool:
    """Whether what goes to an address is encrypted or stays on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "tls" or (parts.scheme == "tcp" and is_loopback(parts.hostname or ""))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine as it calls itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
