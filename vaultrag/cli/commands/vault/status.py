"""`vaultrag status`: what is indexed, read straight from SQLite, and who serves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.table import Table
from rich.text import Text

from vaultrag import wire
from vaultrag.cli.terminal import Terminal, local_time, one_line, size
from vaultrag.config import Config
from vaultrag.domain import Attention, counted
from vaultrag.errors import ServerBusy
from vaultrag.maintenance.status import read_status
from vaultrag.store.database import Access
from vaultrag.store.endpoint import Endpoint, read_endpoint
from vaultrag.store.opening import open_database

UNKNOWN = "unknown"  # while a server that lives does not answer


def print_status(config: Config, terminal: Terminal) -> None:
    """Print the figures of the index. Raises IndexMissing before the first index run."""
    with open_database(config.database_path, Access.READ) as database:
        found = read_status(config, database)
    try:
        served = _served(config)
        server = _server(*served) if served else None
    except ServerBusy:
        served, server = None, _busy(config)
    if served is not None and found.attention is None:
        found = replace(found, attention=_trouble(served[1]))
    status = wire.IndexStatus.of(found, server=server)
    if terminal.json:
        terminal.print_json(status)
    else:
        terminal.print(_table(status))


def _served(config: Config) -> tuple[Endpoint, wire.Health] | None:
    if read_endpoint(config.home) is None:
        return None
    from vaultrag.cli.client import server_health  # httpx costs a tenth of a second

    return server_health(config)


def _trouble(health: wire.Health) -> Attention | None:
    """Return what keeps the server from following that it could not write into the index, as on a full disk."""
    if not health.attention:
        return None
    message = f"The server cannot keep the index up to the vault: {health.attention}."
    return Attention(health.attention, message, "It tries again by itself; `vaultrag index` says what is wrong.")


def _server(endpoint: Endpoint, health: wire.Health) -> wire.Server:
    return wire.Server(
        pid=endpoint.pid,
        url=endpoint.url,
        version=endpoint.version,
        embedder=health.readiness.embedder,
        model=health.readiness.model,
        residents=health.readiness.residents,
        swap=health.readiness.swap,
        watching=health.watching,
    )


def _busy(config: Config) -> wire.Server | None:
    """Return what is known of a server that lives and does not answer."""
    endpoint = read_endpoint(config.home)
    if endpoint is None:
        return None
    return wire.Server(
        pid=endpoint.pid, url=endpoint.url, version=endpoint.version, embedder=UNKNOWN, model=UNKNOWN, watching=UNKNOWN
    )


def _table(status: wire.IndexStatus) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(status):
        table.add_row(name, Text(one_line(value)))
    return table


def _rows(status: wire.IndexStatus) -> list[tuple[str, str]]:
    remedy = "the server is at it" if status.server else "run: vaultrag index"
    wait = "passage waits" if status.pending == 1 else "passages wait"
    waiting = f", {status.pending:,} {wait} for one ({remedy})" if status.pending else ""
    partly = "" if status.whole else f"; the first look at the vault has not ended ({remedy})"
    attention = [("attention", f"{status.attention.message} {status.attention.remedy}")] if status.attention else []
    problems = f"{status.problems:,} (see: vaultrag check)" if status.problems else "none"
    return [
        ("vault", status.vault),
        ("home", f"{status.home} ({size(status.bytes)})"),
        ("notes", f"{status.notes:,} in {counted(status.chunks, 'passage')}{partly}"),
        *([("unread", f"{counted(status.unread, 'file')} (`vaultrag index` says why)")] if status.unread else []),
        *_left_out(status.left_out),
        ("links", f"{status.links:,}, {status.unresolved:,} of them to notes that are not there"),
        ("embeddings", f"{status.embeddings:,}{waiting}"),
        *_succession(status.succession),
        ("problems", problems),
        *_long_notes(status.long_notes),
        ("last change", local_time(status.last_indexed) if status.last_indexed else "never"),
        *_jobs(status.jobs),
        ("server", _server_line(status.server)),
        *resident_rows(status.server),
        *attention,
    ]


def _jobs(jobs: wire.JobCounts | None) -> list[tuple[str, str]]:
    if jobs is None or not (jobs.to_do or jobs.put_aside):
        return []
    told = [f"{jobs.to_do:,} to be done"] if jobs.to_do else []
    told += [f"{jobs.put_aside:,} put aside"] if jobs.put_aside else []
    return [("jobs", f"{', '.join(told)} (see: vaultrag jobs list)")]


def _long_notes(notes: Sequence[wire.LongNote]) -> list[tuple[str, str]]:
    return [
        ("" if place else "long notes", f"{note.path}: {counted(note.passages, 'passage')}, mostly {note.holds}")
        for place, note in enumerate(notes)
    ]


def _left_out(left_out: wire.LeftOut | None) -> list[tuple[str, str]]:
    if left_out is None:
        return []
    reasons = (
        (left_out.filtered, "note", "by the vault's own filters (Obsidian: Files and links, Excluded files)"),
        (left_out.ignored, "note", "by `vault.ignore` of the settings"),
        (left_out.linked, "link", "to folders (only real folders are read)"),
    )
    told = [f"{counted(count, what)} {reason}" for count, what, reason in reasons if count]
    return [("left out", "; ".join(told))] if told else []


def _succession(state: wire.Succession | None) -> list[tuple[str, str]]:
    if state is None:
        return []
    return [("new embedder", f"{state.done:,} of {counted(state.total, 'text')}; the earlier one answers until then")]


def resident_rows(server: wire.Server | None) -> list[tuple[str, str]]:
    """Say which models lie in memory, and by which plan."""
    if server is None:
        return []
    rows = [("in memory" if not place else "", _resident(model)) for place, model in enumerate(server.residents)]
    return [*rows, ("last swap", server.swap)] if server.swap else rows


def _resident(model: wire.LoadedModel) -> str:
    about = f"{model.name} ({', '.join(model.roles)})"
    stays = "stays" if model.stays else "shares the memory with no other"
    if model.bytes:
        return f"{about}: {size(model.bytes)}, {model.reason}; {stays}. {model.warning}".strip()
    return f"{about}: loading, {model.share:.0%}" if model.share else f"{about}: not now; {stays}"


def _server_line(server: wire.Server | None) -> str:
    if server is None:
        return "none runs"
    if server.watching == UNKNOWN:
        return f"{server.url}, process {server.pid}; it lives, and is too busy to answer just now"
    following = {"events": "follows the vault", "polling": "looks at the vault every few seconds"}
    watching = following.get(server.watching, "does not follow the vault")
    return f"{server.url}, process {server.pid}; {watching}; embedder {server.embedder}, model {server.model}"
