"""The kinds of jobs: each by its name, and what does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from vaultrag.jobs.analyses import ANALYSE, analyse_later
from vaultrag.jobs.later import ASK, answer_later
from vaultrag.jobs.nightly import NIGHT, work_the_night
from vaultrag.jobs.runs import JobRun, Outcome
from vaultrag.jobs.scanning import SCAN, scan_later
from vaultrag.workspace import Workspace

Work: TypeAlias = Callable[[Workspace, JobRun], Outcome]
"""Does a job from its beginning: what `JobRun` knows as done is not done again.

It calls `JobRun.look` wherever it can stop, `JobRun.reads` before a model reads, and writes each unit by `JobRun.done`.
"""

KINDS: Mapping[str, Work] = MappingProxyType(
    {ASK: answer_later, ANALYSE: analyse_later, NIGHT: work_the_night, SCAN: scan_later}
)
"""Questions and analyses that nobody waits for, each kept under its job's id, its trace, too. Nights, and scans."""
