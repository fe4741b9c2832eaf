"""Where a model server may lie: notes go to it, so only a host that the user named, and unencrypted only nearby."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from vaultrag.errors import ConfigError, RemoteFailed

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

NEARBY = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "::1/128",  # this machine
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",  # private networks
        "169.254.0.0/16", "fe80::/10",  # one cable
        "100.64.0.0/10",  # behind a carrier's router, or a Tailscale network, which encrypts by itself
    )
)  # fmt: skip
API = "/v1"  # of every server that speaks as OpenAI's does
EVERYWHERE = ("0.0.0.0", "::")  # what servers print when they listen to the whole network
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """A model server: `root` is the server itself, `api` what its OpenAI-compatible paths stand under."""

    root: str
    api: str
    host: str
    encrypted: bool


def parse_address(url: str) -> RemoteAddress:
    """Read the setting `remote.url`, with or without its `/v1`. Raises ConfigError."""
    if not url.strip():
        raise ConfigError(
            "A role names `remote`, but no server is named.",
            'Name one in the settings, as: [remote] url = "http://127.0.0.1:8080".',
        )
    shown = url.rpartition("@")[2]  # what stands before may be a key
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise _unusable(shown, "it is no address") from error
    if parsed.scheme not in SCHEMES or not parsed.host:
        raise _unusable(shown, "it does not begin with http:// or https:// and a host")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise _unusable(
            parsed.host, "it holds more than a host, a port and a path; a key belongs in remote.api_key_env"
        )
    if parsed.host in EVERYWHERE:
        raise _unusable(shown, "a server listens there on all its addresses, and has none of its own")
    root = str(parsed).rstrip("/").removesuffix(API)
    return RemoteAddress(root, root + API, parsed.host, parsed.scheme == "https")


def require_nearby(address: RemoteAddress) -> None:
    """Raise ConfigError when the notes would cross the internet in the clear, RemoteFailed for an unknown name."""
    if address.encrypted:
        return
    far = [found for found in _resolve(address.host) if not is_nearby(found)]
    if far:
        raise ConfigError(
            f"{address.root} would send your notes unencrypted to {far[0]}, which is in no private network.",
            "Use https://, or reach the server through a tunnel: ssh -L 8080:127.0.0.1:8080 HOST.",
        )


def is_nearby(address: Address) -> bool:
    """Whether an address is this machine or lies in a private network."""
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address
    return any(plain.version == network.version and plain in network for network in NEARBY)


def _resolve(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RemoteFailed(f"No machine is called {host}.", "Correct the setting remote.url.") from error
    return [ipaddress.ip_address(str(place[4][0]).split("%")[0]) for place in found]


def _unusable(url: str, reason: str) -> ConfigError:
    return ConfigError(
        f"The setting remote.url ({url[:100]}) cannot be used: {reason}.", "Write it as http://127.0.0.1:8080."
    )
