"""One round of killing: change the vault, kill a command, recover, compare with a fresh index."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import product
from tests.deaths import SPARED, Death, Kill, descendants, ended, signal_all
from tests.index_content import Expected, content, differences, embedding_faults, fresh_content, open_doubled
from tests.living_vault import LivingVault
from vaultrag.config import Config, Settings
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.store.vectors.chroma import ChromaUnavailable
from vaultrag.workspace import Ownership, Workspace

NOTES = 40
MOST_CHANGES = 8
PATIENCE = 120.0  # seconds after which a process that should have gone counts as stuck, on a busy machine
WATCHED_SECONDS = 3.0  # the same for a watcher: a change set settles in one second
SERVED_SECONDS = 2.0  # a server that was not hit by then is killed
CLIENTS = 2
FIRST_REACH = {
    "call command": 300.0,
    "call chroma": 100.0,
    "time command": 1.0,
    "watch time command": WATCHED_SECONDS,
    "serve time command": SERVED_SECONDS,
}
REAL_SECONDS = 25.0  # with the real embedder, which takes most of that to load
SHRINK, GROW = 0.9, 1.02  # of the reach after a draw that came too late, and after a hit: one in six comes too late


class Harness:
    """One scratch folder with a living vault, its index, and a fresh index to compare with."""

    def __init__(self, scratch: Path, seed: int, killer: ctypes.CDLL, models: Path | None = None) -> None:
        self.scratch = scratch
        self.random = random.Random(seed)
        self.killer = killer
        self.config = Config(
            vault=scratch / "vault", home=scratch / "home", models=models or scratch, settings=Settings()
        )
        self.run_program = product.run if models is None else product.run_real
        self.open_index = open_doubled if models is None else open_real
        self.living = LivingVault(self.config.vault, self.random)
        self.expected = Expected() if models is None else None
        self.saved: set[str] = set()
        self.reach: dict[str, float] = {}
        self.log = scratch / "command.log"
        self.hit = scratch / "hit"

    def begin(self, seed: str) -> None:
        """Start over with a new vault and no index."""
        self.random.seed(seed)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self.living.create(NOTES)
        self.saved = set()

    def kill(self, number: int, seed: int, operation: str, run: Callable[[Harness, Kill], None]) -> Kill:
        """Change the vault, kill one command over it by `run`, recover, and look for faults."""
        self.random.seed(f"{seed} {number}")
        changes = self.living.change(self.random.randint(1, MOST_CHANGES))
        kill = Kill(number, seed, operation, self._draw(operation), changes)
        self.hit.unlink(missing_ok=True)
        run(self, kill)
        kill.place = self._place()
        before = _vault_state(self.config.vault)
        kill.faults += self._recover()
        if _vault_state(self.config.vault) != before:
            kill.faults.append("the vault was written to")
        return kill

    def _draw(self, operation: str) -> Death:
        by = self.random.choice(("call", "call", "time"))
        who = self.random.choices(("command", "chroma"), (3, 1))[0] if by == "call" else "command"
        name = f"{operation} {by} {who}"
        first = FIRST_REACH.get(name) or FIRST_REACH[f"{by} {who}"]
        if self.expected is None and by == "time":
            first = REAL_SECONDS
        reach = self.reach.setdefault(name, first)
        drawn = self.random.uniform(0, reach)
        return Death(
            by=by,
            who=who,
            takes=self.random.choice(("one", "all")),
            calls=1 + int(drawn) if by == "call" else 0,
            seconds=drawn if by == "time" else 0.0,
            torn=self.random.random() < 0.25,
        )

    def run_command(self, arguments: Sequence[str], kill: Kill) -> None:
        """Run a command until its death or its end."""
        pid = self.start([*arguments, *self.places], kill.death)
        if not ended(pid, kill.death.seconds if kill.death.by == "time" else PATIENCE):
            if kill.death.by == "call":
                kill.faults.append(f"{kill.operation} hangs")
            self.end(pid, kill.death)
        self.note_end(pid, kill)

    def run_whole(self, arguments: Sequence[str]) -> list[str]:
        """Run a command to its end; return what went wrong."""
        pid = self.start([*arguments, *self.places], SPARED)
        if not ended(pid, PATIENCE):
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return [f"{arguments[0]} ended with {code}: {self._said()}"] if code else []

    def end(self, pid: int, death: Death) -> None:
        """Kill a command, alone or with everything it started."""
        others = descendants(pid) if death.takes == "all" else []
        os.kill(pid, signal.SIGKILL)
        signal_all(others)

    def note_end(self, pid: int, kill: Kill) -> None:
        """Take leave of a command, and learn from it how far the next draw should reach."""
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        kill.killed = code == -signal.SIGKILL or self.hit.exists()
        if code not in (0, -signal.SIGKILL):
            kill.faults.append(f"{kill.operation} ended with {code}: {self._said()}")
        reached = self.hit.exists() if kill.death.by == "call" else kill.killed
        name = f"{kill.operation} {kill.death.by} {kill.death.who}"
        if name not in FIRST_REACH:  # what ends only when it is killed has no end to look for
            self.reach[name] *= GROW if reached else SHRINK
        kill.faults += self._outlived(kill)

    @property
    def places(self) -> list[str]:
        return ["--vault", str(self.config.vault), "--home", str(self.config.home)]

    def start(self, arguments: Sequence[str], death: Death) -> int:
        return self._fork(lambda: self.run_program(arguments), death)

    def _fork(self, work: Callable[[], int], death: Death) -> int:
        """Fork, and run `work` there, armed."""
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 70
        try:
            self._redirect()
            os.environ["KILLER_HOME"] = str(self.config.home)
            os.environ["KILLER_LOG"] = str(self.hit)
            if death.by == "call" and death.who == "command":
                self.killer.killer_arm(death.calls, int(death.torn))
            elif death.by == "call":
                os.environ["KILLER_AT"] = str(death.calls)
                os.environ["KILLER_ROOT"] = str(os.getpid() if death.takes == "all" else 0)
            code = work()
        except BaseException:  # noqa: BLE001  # the outermost loop of this process
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _redirect(self) -> None:
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)

    def _outlived(self, kill: Kill) -> list[str]:
        """What a command leaves behind goes by itself; half of the time the next command does not wait for it."""
        if kill.death.takes == "all":
            signal_all(descendants(os.getpid()))
        elif self.random.random() < 0.5:
            return []
        return self._reap()

    def _reap(self) -> list[str]:
        for pid in descendants(os.getpid()):
            if not ended(pid, PATIENCE):
                os.kill(pid, signal.SIGKILL)
                return [f"process {pid} outlived its command"]
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        return []

    def _recover(self) -> list[str]:
        """Index again in another process, check there, and compare what it says."""
        told = self.scratch / "told.json"
        told.unlink(missing_ok=True)
        pid = self._fork(lambda: self._index_and_check(told), SPARED)
        if not ended(pid, PATIENCE):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        faults = self._reap()
        if not told.exists():
            return [*faults, f"the recovery failed: {self._said()}"]
        said = json.loads(told.read_text(encoding="utf-8"))
        faults += [f"check: {finding}" for finding in said["findings"]]
        path = self.config.database_path
        faults += embedding_faults(path, self.expected, said["chroma"]) + self._lost_answers(said["saved"])
        return faults + differences(content(path), fresh_content(self.config, self.scratch / "fresh", self.open_index))

    def _lost_answers(self, saved: Sequence[str]) -> list[str]:
        """Every answer that a client was told is saved must be; each client may have missed one such word."""
        lost, unheard = self.saved - set(saved), set(saved) - self.saved
        self.saved = set(saved)
        faults = [f"saved answers lost: {len(lost)}"] if lost else []
        return faults + ([f"answers saved twice: {len(unheard)}"] if len(unheard) > CLIENTS else [])

    def _index_and_check(self, told: Path) -> int:
        with self.open_index(self.config) as workspace:
            workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
            said = workspace.upkeep.check_deep(lambda *_: None)
            findings = [f"{found.invariant}: {found.detail}" for found in said if found.severity != "info"]
            chroma: list[str] = []
            try:
                vectors = workspace.vectors.index()
                assert vectors is not None
                assert vectors.chroma is not None
                chroma = [key for page in vectors.chroma.pages() for key in page]
            except ChromaUnavailable as error:
                findings.append(f"Chroma: {error}")
            saved = [answer.id for answer in workspace.archive.answers()]
        told.write_text(json.dumps({"findings": findings, "chroma": chroma, "saved": saved}), encoding="utf-8")
        return 0

    def _said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-800:].strip() if self.log.exists() else ""

    def _place(self) -> str:
        if not self.hit.exists():
            return ""
        call, _, path = self.hit.read_text(encoding="utf-8").splitlines()[0].partition(" ")
        return f"{call} {Path(path).name}"


def open_real(config: Config) -> Workspace:
    return Workspace.open(config, Ownership.OWN)


def _vault_state(vault: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in vault.rglob("*")}
