"""`vaultrag contradictions review`: one finding after the other, a key for each decision. The journal keeps them."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import typer
from rich.text import Text

from vaultrag.cli.commands.contradictions.finding_lines import verdict_words
from vaultrag.cli.commands.contradictions.review_screen import ReviewScreen
from vaultrag.cli.obsidian import obsidian_link
from vaultrag.cli.terminal import Terminal, one_line
from vaultrag.config import Config
from vaultrag.contradictions.surroundings import Surroundings
from vaultrag.domain import Claim, ClaimFinding, Verdict, VerdictState, counted
from vaultrag.errors import VaultragError

SKIPS = frozenset({"n", "space", "enter"})


@dataclass(slots=True)
class Review:
    """One run. `keep` writes a verdict down, `put_back` what stood under a finding's key before the run.

    `around` reads what a claim's note says now; `key` waits for a key.
    """

    config: Config
    terminal: Terminal
    findings: list[ClaimFinding]
    days: int
    today: date
    keep: Callable[[Verdict], None]
    put_back: Callable[[str], None]
    around: Callable[[Claim], Surroundings]
    key: Callable[[], str]
    _at: int = 0
    _is_new: bool = True  # it has not been shown as it stands
    _passed: list[int] = field(default_factory=list)  # places of findings, in the order they were left
    _before: dict[int, Verdict | None] = field(default_factory=dict)  # what was decided before this run did

    def run(self) -> None:
        """Show finding after finding until the last, or until somebody has had enough."""
        while self._goes_on():
            pass
        self._sum_up()

    def _goes_on(self) -> bool:
        """Ask once; return whether to go on. Behind the last finding what was decided can still be taken back."""
        if self._at < len(self.findings):
            if self._is_new:
                self._show()
            self._is_new = False
            return self._do(self._pressed())
        self.terminal.print("", Text("That was the last one. u takes it back, w says why; any other key ends."))
        key = self._pressed()
        return key in ("u", "w") and self._do(key)

    def _show(self) -> None:
        finding = self.findings[self._at]
        sides = (self.around(finding.one), self.around(finding.other))
        number, count = self._at + 1, len(self.findings)
        screen = ReviewScreen(finding, number, count, sides, self._keys(), self.config.vault.name)
        self.terminal.print("", screen)

    def _keys(self) -> Sequence[tuple[str, str]]:
        editor = [("e/r", "edit note 1/2")] if _editor() else []
        undo = [("u", "undo")] if self._passed else []
        why = [("w", "say why, of the last")] if self._before else []
        return (
            ("1", "the first is right"),
            ("2", "the second is right"),
            ("d", "no contradiction"),
            ("a", "true, leave it so"),
            ("z", f"later, in {counted(self.days, 'day')}"),
            ("o/p", "open note 1/2"),
            *editor,
            ("n", "next"),
            *undo,
            *why,
            ("q", "quit"),
        )

    def _pressed(self) -> str:
        try:
            return self.key()
        except (KeyboardInterrupt, EOFError):
            return "q"

    def _do(self, key: str) -> bool:
        """Do what a key says; return whether to go on."""
        if key in ("q", "escape"):
            return False
        try:
            self._act(key)
        except VaultragError as error:  # the note was forgotten meanwhile, the disk is full
            self.terminal.fail(error)
        return True

    def _act(self, key: str) -> None:
        if key == "u":
            self._undo()
        elif key == "w":
            self._say_why()
        elif key in SKIPS:
            self._leave()
        else:
            self._look_or_decide(key, self.findings[self._at])

    def _look_or_decide(self, key: str, finding: ClaimFinding) -> None:
        match key:
            case "d":
                self._decide(VerdictState.DISMISSED)
            case "a":
                self._decide(VerdictState.ACCEPTED)
            case "z":
                self._decide(VerdictState.SNOOZED, until=(self.today + timedelta(self.days)).isoformat())
            case "1":
                self._decide(VerdictState.RESOLVED, right=finding.one.key)
            case "2":
                self._decide(VerdictState.RESOLVED, right=finding.other.key)
            case "o" | "p":
                self._open(finding.one if key == "o" else finding.other)
            case "e" | "r" if _editor():
                self._edit(finding.one if key == "e" else finding.other)
            case _:
                self.terminal.note("That key does nothing here.")

    def _decide(self, state: VerdictState, until: str = "", right: str = "") -> None:
        finding = self.findings[self._at]
        verdict = Verdict(finding.key, state, finding.paths, "", until, right)
        self.keep(verdict)
        self._before.setdefault(self._at, finding.decided)
        self.findings[self._at] = replace(finding, decided=verdict)
        self._tell(self.findings[self._at])
        self._leave()

    def _leave(self) -> None:
        self._passed.append(self._at)
        self._at += 1
        self._is_new = True

    def _undo(self) -> None:
        """Go back to the finding that was left last, with what stood there before."""
        if not self._passed:
            self.terminal.note("There is nothing to undo.")
            return
        at = self._passed[-1]
        if at in self._before:
            self.put_back(self.findings[at].key)
            self.findings[at] = replace(self.findings[at], decided=self._before.pop(at))
            self.terminal.note("Taken back.")
        self._passed.pop()
        self._at, self._is_new = at, True

    def _say_why(self) -> None:
        """Add words of the user's own to what was decided last."""
        decided = [at for at in self._passed if at in self._before]
        verdict = self.findings[decided[-1]].decided if decided else None
        if verdict is None:
            self.terminal.note("Decide first: then this says why.")
            return
        typed = self.terminal.out.input("Why, or since when: ")
        changed = replace(verdict, note=one_line(typed))
        self.keep(changed)
        self.findings[decided[-1]] = replace(self.findings[decided[-1]], decided=changed)
        self._tell(self.findings[decided[-1]])

    def _tell(self, finding: ClaimFinding) -> None:
        said = verdict_words(finding, self.today)
        self.terminal.print(Text.assemble(("✓ ", "green"), said[:1].upper() + said[1:], (".  u undoes it", "dim")))

    def _open(self, claim: Claim) -> None:
        link = obsidian_link(self.config.vault.name, claim.path, claim.heading_path, "")
        if typer.launch(link):
            self.terminal.warn("Nothing here opens links; this is the one:")
        self.terminal.print(Text(link))

    def _edit(self, claim: Claim) -> None:
        """Hand the terminal to the user's own editor, at the line."""
        path = self.config.vault / claim.path
        self._is_new = True
        try:
            subprocess.run([*_editor(), f"+{claim.span.first_line}", str(path)], check=False)
        except OSError as error:
            self.terminal.warn(f"The editor cannot be started: {error.strerror}. VISUAL or EDITOR names it.")

    def _sum_up(self) -> None:
        made = Counter(
            finding.decided.state for at, finding in enumerate(self.findings) if at in self._before and finding.decided
        )
        told = ", ".join(f"{count} {state}" for state, count in made.items()) or "nothing decided"
        left = len(self.findings) - sum(made.values())
        rest = f" {counted(left, 'finding')} left open." if left else " Nothing waits any more."
        self.terminal.print("", f"{told[:1].upper()}{told[1:]}.{rest}")


def _editor() -> list[str]:
    """Return the user's editor as it is started; empty where none is named."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
