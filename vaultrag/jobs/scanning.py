"""The look for contradictions as work that nobody waits for: two stages of a night, and a job of its own."""

from __future__ import annotations

from collections.abc import Iterator

from vaultrag.domain import JobBudget, JobOrder
from vaultrag.errors import ModelError
from vaultrag.jobs.runs import BudgetSpent, JobRun, Outcome
from vaultrag.jobs.stage_run import StageRun, StageStep
from vaultrag.workspace import Workspace

SCAN = "scan"


def scan_order(budget: JobBudget) -> JobOrder:
    """Return the job of looking for contradictions in what changed since the last look."""
    return JobOrder(SCAN, "contradictions", {}, budget)


def scan_later(workspace: Workspace, run: JobRun) -> Outcome:
    """Look for contradictions; what is done is committed on the way, and a killed look goes on where it was.

    Raises ModelError where the judge failed, and BudgetSpent where the budget did not suffice.
    """
    findings = workspace.findings

    def must_stop() -> bool:
        return run.stopped or not run.seconds_left

    def tell(phase: str, done: int, total: int) -> None:
        run.stage(f"{phase}, {done:,} of {total:,}")

    for stage, work in (("claims", findings.extract), ("contradictions", findings.compare)):
        run.stage(stage)
        work(tell, must_stop)
        run.look()
    standing = findings.standing()
    if (standing.notes_owed or standing.claims_owed) and not run.seconds_left:
        raise BudgetSpent
    return Outcome("findings")


def extract_claims(night: StageRun) -> Iterator[StageStep]:
    """Extract what the notes state that changed; counted in notes."""
    findings = night.workspace.findings
    owed = findings.standing().notes_owed
    findings.extract(must_stop=night.must_stop)
    left = findings.standing().notes_owed
    yield StageStep(max(0, owed - left), left)


def compare_claims(night: StageRun) -> Iterator[StageStep]:
    """Compare what is stated anew with all the rest; counted in claims. Raises ModelError where the judge failed."""
    findings = night.workspace.findings
    owed, failure = findings.standing().claims_owed, None
    try:
        findings.compare(must_stop=night.must_stop)
    except ModelError as error:  # what code found, and what is owed, is committed all the same
        failure = error
    left = findings.standing().claims_owed
    yield StageStep(max(0, owed - left), left)
    if failure is not None:
        raise failure
