"""Where a server announces itself, and the token that opens it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vaultrag.errors import TokenUnreadable
from vaultrag.store.endpoint import (
    ENDPOINT_NAME,
    Endpoint,
    Tokens,
    announce,
    ensure_token,
    prove,
    read_endpoint,
    read_token,
    rotate_token,
    withdraw,
)

ENDPOINT = Endpoint(pid=7, host="127.0.0.1", port=5, version="1", instance="abc")


def test_announced_server_is_found_until_it_withdraws(tmp_path: Path) -> None:
    assert read_endpoint(tmp_path) is None
    announce(tmp_path, ENDPOINT)
    assert read_endpoint(tmp_path) == ENDPOINT
    withdraw(tmp_path, ENDPOINT)
    assert list(tmp_path.iterdir()) == []


def test_server_does_not_withdraw_its_successor(tmp_path: Path) -> None:
    successor = Endpoint(pid=8, host="127.0.0.1", port=6, version="1", instance="def")
    announce(tmp_path, successor)
    withdraw(tmp_path, ENDPOINT)
    assert read_endpoint(tmp_path) == successor


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"pid": "x", "port": 1}', "\udcff"])
def test_broken_announcement_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ENDPOINT_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_endpoint(tmp_path) is None


def test_each_server_has_a_secret_that_only_its_user_may_read(tmp_path: Path) -> None:
    announce(tmp_path, ENDPOINT)
    assert ENDPOINT.secret not in repr(ENDPOINT)
    assert Endpoint(pid=7, host="127.0.0.1", port=5, version="1", instance="abc").secret != ENDPOINT.secret
    if os.name == "posix":
        assert (tmp_path / ENDPOINT_NAME).stat().st_mode & 0o777 == 0o600


def test_announcement_of_the_version_before_has_no_secret_and_is_none(tmp_path: Path) -> None:
    (tmp_path / ENDPOINT_NAME).write_text(
        '{"pid": 7, "host": "127.0.0.1", "port": 5, "version": "1", "instance": "abc"}', encoding="utf-8"
    )
    assert read_endpoint(tmp_path) is None


def test_proof_is_of_one_token_one_nonce_and_one_port() -> None:
    said = prove("t" * 43, "0" * 64, 5)
    assert said == prove("t" * 43, "0" * 64, 5)
    assert len({said, prove("u" * 43, "0" * 64, 5), prove("t" * 43, "1" * 64, 5), prove("t" * 43, "0" * 64, 6)}) == 4


def test_rotated_token_opens_and_the_old_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "token"
    old = ensure_token(path)
    tokens = Tokens("s" * 43, path)
    assert tokens.accept(old)
    new = rotate_token(path)
    assert [tokens.accept(given) for given in (old, new, "s" * 43, "", "т" * 43)] == [False, True, True, False, False]
    path.unlink()
    assert [tokens.accept(given) for given in (new, "s" * 43)] == [False, True]


def test_announcement_cannot_send_the_token_elsewhere(tmp_path: Path) -> None:
    announce(tmp_path, Endpoint(pid=7, host="evil.com", port=5, version="1", instance="abc"))
    found = read_endpoint(tmp_path)
    assert found is not None
    assert found.url == "http://127.0.0.1:5"


def test_token_is_long_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "home" / "token"
    token = ensure_token(path)
    assert len(token) >= 43  # 256 bits in base64
    assert ensure_token(path) == token == read_token(path)
    assert ensure_token(tmp_path / "other") != token
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["token"]


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_token_with_wider_rights_is_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "token"
    ensure_token(path)
    path.chmod(0o644)
    ensure_token(path)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe" * 40])
def test_unusable_token_is_an_error_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(TokenUnreadable) as raised:
        ensure_token(path)
    assert "vaultrag token --rotate" in raised.value.remedy
    assert rotate_token(path) == ensure_token(path)


def test_missing_token_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(TokenUnreadable, match="is missing"):
        read_token(tmp_path / "token")


def test_token_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(TokenUnreadable):
        ensure_token(tmp_path / "file" / "token")
