"""The routes of where the notes disagree: the list, and what is decided about it."""

from __future__ import annotations

from datetime import datetime

from fastapi import FastAPI
from fastapi.responses import Response

from vaultrag.api.responses import json_response
from vaultrag.domain import ClaimFinding, VerdictState
from vaultrag.jobs.report import language_of
from vaultrag.wire import findings as wire_findings
from vaultrag.workspace import Workspace


def add_finding_routes(app: FastAPI, workspace: Workspace) -> None:
    """Add the routes of findings. What looks for more is a job."""

    def shape(finding: ClaimFinding) -> wire_findings.ClaimFinding:
        today = datetime.now().astimezone().date()
        return wire_findings.ClaimFinding.of(finding, open=finding.is_open(today))

    def language() -> str:
        return language_of(workspace.config, workspace.database)

    @app.get("/contradictions", response_model=wire_findings.ListedFindings)
    def contradictions(everything: bool = False) -> Response:
        """List the open findings, with `everything` those that were decided or kept back, too, and how far the scan is.

        Where the standing says that much is owed, an empty list tells nothing.
        """
        known = [shape(finding) for finding in workspace.findings.all(language())]
        shown = [finding for finding in known if everything or finding.open]
        standing = workspace.findings.standing()
        kept_back = [shape(finding) for finding in workspace.findings.removed(language())] if everything else []
        return json_response(wire_findings.ListedFindings.listed(shown, standing, len(known) - len(shown), kept_back))

    @app.post("/contradictions/decide", response_model=wire_findings.ClaimFinding)
    def decide(request: wire_findings.DecideRequest) -> Response:
        """Keep what was decided about a finding, in place of an earlier verdict; `open` takes one back."""
        key = workspace.findings.find(request.key).key
        if request.state == wire_findings.OPEN:
            workspace.findings.reopen(key)
        else:
            state = VerdictState(request.state)
            workspace.findings.decide(key, state, request.note, request.until, request.right)
        return json_response(shape(workspace.findings.find(key, language())))
