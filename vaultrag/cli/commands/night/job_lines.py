"""A job in words."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from vaultrag import wire
from vaultrag.cli.terminal import local_time, one_line
from vaultrag.domain import counted

STYLES = {"done": "green", "failed": "red", "spent": "yellow", "cancelled": "dim", "running": "cyan"}
SHOWN = 12  # characters of an id


def job_line(job: wire.Job) -> Text:
    """Return a job on one line: its id, when it came, what it is to do, and how it stands."""
    return Text.assemble(
        (job.id[:SHOWN], "bold cyan"),
        (f"  {local_time(job.at)}  ", "dim"),
        (job.state, STYLES.get(job.state, "")),
        ("  ", ""),
        one_line(job.about),
        (f"  {standing(job)}".rstrip(), "dim"),
    )


def standing(job: wire.Job) -> str:
    """Say what a job is at, and what it has cost."""
    said = [job.stage] if job.stage else []
    if job.used_tokens:
        said += [f"{counted(job.used_tokens, 'token')} in {job.used_seconds / 60:.1f} min"]
    if job.due:
        said.append(f"tried again from {local_time(job.due)}")
    return ", ".join(said)


def job_details(job: wire.Job) -> Iterator[Text]:
    """Yield what there is to say of a job beside its line."""
    yield Text(f"  {_budget(job)}", style="dim")
    if job.ended_at:
        yield Text(f"  ended {local_time(job.ended_at)}", style="dim")
    if job.failure:
        yield Text.assemble(("  failed: ", "red"), one_line(job.failure.message))
        if job.failure.remedy:
            yield Text(f"    → {one_line(job.failure.remedy)}")
    if hint := next_step(job):
        yield Text(f"  {hint}")


def next_step(job: wire.Job) -> str:
    """Say what can be done with a job as it stands."""
    match job.state:
        case "done" if job.kind == "analyse":
            return f"The analysis: vaultrag analyse --kept {job.result}; its trace: vaultrag traces show {job.id}"
        case "done" if job.kind == "scan":
            return "What it found: vaultrag contradictions"
        case "done" if job.result:
            return f"The answer: vaultrag answers show {job.result}; how it was come by: vaultrag traces show {job.id}"
        case "failed" | "cancelled" | "spent":
            return f"It goes on where it stopped: vaultrag jobs resume {job.id}"
        case "queued" | "running":
            return f"To wait for it: vaultrag jobs wait {job.id}; to end it: vaultrag jobs cancel {job.id}"
    return ""


def _budget(job: wire.Job) -> str:
    minutes = f"{job.minutes * job.granted:g} minutes" if job.minutes else "any number of minutes"
    tokens = f"{job.tokens * job.granted:,} tokens" if job.tokens else "any number of tokens"
    return f"{job.kind}; may take {minutes} and {tokens}"
