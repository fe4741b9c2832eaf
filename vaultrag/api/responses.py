"""What routes answer with: one JSON object, or a stream of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from vaultrag import wire
from vaultrag.api.streams import Streams

EVENT_STREAM = "text/event-stream"


def event_stream(streams: Streams, events: Callable[[], Iterator[wire.Event]]) -> StreamingResponse:
    """Answer with server-sent events."""
    return StreamingResponse(streams.relay(events), media_type=EVENT_STREAM, headers={"x-accel-buffering": "no"})


def json_response(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with one JSON object."""
    return Response(wire.dumps(body), status, headers, "application/json")
