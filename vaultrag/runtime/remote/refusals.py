"""What a model server refuses, as errors that a person understands. Its own words are not repeated: they may hold
the notes'."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx

from vaultrag.errors import GenerationFailed, RemoteFailed
from vaultrag.runtime.remote.exchange import TooLong
from vaultrag.runtime.remote.protocol import PromptTooLong, UnreadableReply, is_about_context

FIELD_REFUSED = frozenset({400, 422, 501})  # what servers say to a field that they do not know or do not like


@contextlib.contextmanager
def translated(root: str, seconds: float) -> Iterator[None]:
    """Turn what goes wrong with a connection into an error. `seconds` is how long the server may be silent."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _unconnected(root, str(error).upper()) from error
    except httpx.TimeoutException as error:
        raise RemoteFailed(
            f"The model server at {root} was silent for {seconds:g} s.",
            "Ask again; where it is only slow, raise runtime.answer_timeout_seconds.",
        ) from error
    except TooLong as error:
        raise RemoteFailed(f"The model server at {root} writes without end.", "Ask again.") from error
    except PromptTooLong as error:
        raise _too_long(root) from error
    except UnreadableReply as unreadable:
        raise RemoteFailed(
            f"The model server at {root} sent {unreadable}.",
            "Check remote.url: it has to be an OpenAI-compatible server (docs/remote.md).",
        ) from unreadable
    except httpx.HTTPError as error:
        raise RemoteFailed(
            f"The connection to the model server at {root} broke off ({type(error).__name__}).",
            "Ask again; the server's own log may say why.",
        ) from error


def refused(root: str, status: int, content: bytes, retry_after: str) -> RemoteFailed | GenerationFailed:
    """Return the error for a status and what came with it."""
    if is_about_context(content):
        return _too_long(root)
    match status:
        case 401 | 403:
            remedy = "Put its key into an environment variable, and that one's name into remote.api_key_env."
            return RemoteFailed(f"The model server at {root} wants another key.", remedy)
        case 404 | 405:
            return RemoteFailed(
                f"The model server at {root} knows no such model or path (status {status}).",
                "Correct remote.model and remote.url; docs/remote.md shows both for each server.",
            )
        case 429:
            return RemoteFailed(f"The model server at {root} has too much to do.", _again(retry_after))
        case 503:
            return RemoteFailed(f"The model server at {root} is still loading, or busy.", _again(retry_after))
    if 300 <= status < 400:
        return RemoteFailed(f"The model server at {root} points elsewhere.", "Name its final address in remote.url.")
    return RemoteFailed(
        f"The model server at {root} refused the request (status {status}).", "Its own log may say why."
    )


def _unconnected(root: str, said: str) -> RemoteFailed:
    if "CERTIFICATE" in said:
        return RemoteFailed(
            f"The certificate of {root} cannot be trusted.",
            "Give the server one that this machine knows, or name its own in the variable SSL_CERT_FILE.",
        )
    if "SSL" in said:
        return RemoteFailed(
            f"What answers at {root} does not speak https.",
            "Write http:// in remote.url where it is in your own network, or give the server a certificate.",
        )
    return RemoteFailed(f"No model server answers at {root}.", "Start it there, or correct the setting remote.url.")


def _too_long(root: str) -> GenerationFailed:
    return GenerationFailed(
        f"The prompt is longer than the context of the model at {root}.",
        "Start the server with a larger context, or set remote.context to what it has.",
    )


def _again(retry_after: str) -> str:
    """Say when to ask again; a server may name a date instead of seconds, or nothing."""
    wait = retry_after.strip()
    return f"Ask again in {int(wait)} s." if wait.isascii() and wait.isdigit() and len(wait) < 5 else _LATER


_LATER = "Ask again in a minute."
