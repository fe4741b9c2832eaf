"""The routes of what the user keeps, and of what is to be forgotten."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse

from vaultrag import wire
from vaultrag.api.background import follow
from vaultrag.api.responses import event_stream, json_response
from vaultrag.api.streams import Streams
from vaultrag.store.traces import find_trace, read_traces
from vaultrag.wire import records as wire_records
from vaultrag.workspace import Workspace


def add_record_routes(app: FastAPI, workspace: Workspace, streams: Streams) -> None:
    """Add the routes of saved answers, chats and forgetting."""

    @app.get("/answers", response_model=wire_records.SavedAnswers)
    def answers() -> Response:
        """List the saved answers, those of chats too, the oldest first."""
        return json_response(wire_records.SavedAnswers.of(workspace.archive.answers()))

    @app.post("/answers/show", response_model=wire_records.ShownAnswer)
    def show_answer(request: wire_records.AnswerRequest) -> Response:
        """Return a saved answer, and whether what it cites still stands in the notes."""
        return json_response(wire_records.ShownAnswer.of(workspace.archive.show(request.id)))

    @app.post("/answers/delete", response_model=wire_records.Deleted)
    def delete_answer(request: wire_records.AnswerRequest) -> Response:
        """Delete a saved answer."""
        workspace.archive.delete_answer(request.id)
        return json_response(wire_records.Deleted(deleted=1))

    @app.get("/chats", response_model=wire_records.Chats)
    def chats() -> Response:
        """List the chats."""
        return json_response(wire_records.Chats.of(workspace.archive.chats()))

    @app.post("/chats/show", response_model=wire_records.SavedAnswers)
    def show_chat(request: wire_records.ChatRequest) -> Response:
        """Return the turns of a chat."""
        return json_response(wire_records.SavedAnswers.of(workspace.archive.chat(request.name)))

    @app.post("/chats/delete", response_model=wire_records.Deleted)
    def delete_chat(request: wire_records.ChatRequest) -> Response:
        """Delete a chat with all its turns."""
        return json_response(wire_records.Deleted(deleted=workspace.archive.delete_chat(request.name)))

    @app.get("/traces", response_model=wire_records.Traces)
    def traces() -> Response:
        """List how longer answers were come by, the latest first."""
        return json_response(wire_records.Traces.of(read_traces(workspace.database)))

    @app.post("/traces/show", response_model=wire_records.Trace)
    def show_trace(request: wire_records.TraceRequest) -> Response:
        """Return the steps to a longer answer, as far as it came."""
        return json_response(wire_records.Trace.of(find_trace(workspace.database, request.id)))

    @app.post("/forget/preview", response_model=wire.Forgotten)
    def preview_forgetting(request: wire.ForgetRequest) -> Response:
        """Say what forgetting a note or folder would remove, and what it would leave elsewhere."""
        return json_response(wire.Forgotten.of(workspace.forgetting.preview(request.path)))

    @app.post("/forget", response_class=StreamingResponse)
    async def forget(request: wire.ForgetRequest) -> StreamingResponse:
        """Remove every trace of a note or folder, for good: events `progress`, then `forgotten` or `error`."""
        return event_stream(
            streams,
            lambda: follow(lambda progress: wire.Forgotten.of(workspace.forgetting.forget(request.path, progress))),
        )

    @app.post("/forget/undo", response_model=wire.Included)
    def let_back_in(request: wire.ForgetRequest) -> Response:
        """Take an exclusion back; the next index run reads the notes again."""
        return json_response(wire.Included(path=workspace.forgetting.undo(request.path)))
