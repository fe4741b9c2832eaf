"""Kills the product's own commands at random points, recovers, and compares the index with a fresh one.

`python -m tests.kill_harness --kills 20 --seed 1 [--operations index,serve] [--state FILE] [--scratch DIR]`

A death is drawn from the seed: the n-th call that changes a file of the home (of the command, or of its Chroma child),
or a moment of the command's duration; alone, or with all its children. A kill that comes too late is not counted.
Linux, with a C compiler. With `--state` a run goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests import product
from tests.doubles import HashEmbedder
from tests.index_content import Expected, content, differences, embedding_faults, fresh_content
from tests.living_vault import SENTENCES, LivingVault
from vaultrag.config import Config, Settings
from vaultrag.endpoint import read_endpoint, read_token
from vaultrag.indexing import DeletionPolicy
from vaultrag.store.chroma import ChromaUnavailable
from vaultrag.workspace import Access, Workspace

NOTES = 40
MOST_CHANGES = 8
ROUNDS = 25  # kills of one vault; then another one begins, whose first index is made under fire
PATIENCE = 120.0  # seconds after which a process that should have gone counts as stuck, on a busy machine
WATCHED_SECONDS = 3.0  # the same for a watcher: a change set settles in one second
SERVED_SECONDS = 2.0  # a server that was not hit by then is killed
POLL_SECONDS = 0.02
CLIENTS = 2
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: children of a killed command become ours, and can be waited for
SAVED = re.compile(r'"saved": ?"(\w*)"')  # in the last event of an answer
FIRST_REACH = {
    "call command": 300.0,
    "call chroma": 100.0,
    "time command": 1.0,
    "watch time command": WATCHED_SECONDS,
    "serve time command": SERVED_SECONDS,
}
SHRINK, GROW = 0.9, 1.02  # of the reach after a draw that came too late, and after a hit: one in six comes too late


@dataclass(frozen=True, slots=True)
class Death:
    """How a command is to die: `at` the n-th call or after so many seconds; `who` counts; `takes` all or one."""

    by: str
    who: str
    takes: str
    calls: int = 0
    seconds: float = 0.0
    torn: bool = False


@dataclass(slots=True)
class Kill:
    """One kill and what was found after the recovery. `place` is the call and file it hit, where that is known."""

    number: int
    seed: int
    operation: str
    death: Death
    changes: list[str]
    place: str = ""
    answers: int = 0
    killed: bool = False
    faults: list[str] = field(default_factory=list)


class Harness:
    """One scratch folder with a living vault, its index, and a fresh index to compare with."""

    def __init__(self, scratch: Path, seed: int, killer: ctypes.CDLL) -> None:
        self.scratch = scratch
        self.random = random.Random(seed)
        self.killer = killer
        self.config = Config(vault=scratch / "vault", home=scratch / "home", models=scratch, settings=Settings())
        self.living = LivingVault(self.config.vault, self.random)
        self.expected = Expected()
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

    def kill(self, number: int, seed: int, operation: str) -> Kill:
        """Change the vault, kill one command over it, recover, and look for faults."""
        self.random.seed(f"{seed} {number}")
        changes = self.living.change(self.random.randint(1, MOST_CHANGES))
        kill = Kill(number, seed, operation, self._draw(operation), changes)
        self.hit.unlink(missing_ok=True)
        OPERATIONS[operation](self, kill)
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
        reach = self.reach.setdefault(name, FIRST_REACH.get(name) or FIRST_REACH[f"{by} {who}"])
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
        if not _ended(pid, kill.death.seconds if kill.death.by == "time" else PATIENCE):
            if kill.death.by == "call":
                kill.faults.append(f"{kill.operation} hangs")
            self.end(pid, kill.death)
        self.note_end(pid, kill)

    def end(self, pid: int, death: Death) -> None:
        """Kill a command, alone or with everything it started."""
        others = _descendants(pid) if death.takes == "all" else []
        os.kill(pid, signal.SIGKILL)
        _signal_all(others)

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
        return self._fork(lambda: product.run(arguments), death)

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
            _signal_all(_descendants(os.getpid()))
        elif self.random.random() < 0.5:
            return []
        return self._reap()

    def _reap(self) -> list[str]:
        for pid in _descendants(os.getpid()):
            if not _ended(pid, PATIENCE):
                os.kill(pid, signal.SIGKILL)
                return [f"process {pid} outlived its command"]
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        return []

    def _recover(self) -> list[str]:
        """Index again in another process, check there, and compare what it says."""
        told = self.scratch / "told.json"
        told.unlink(missing_ok=True)
        pid = self._fork(lambda: self._index_and_check(told), Death("never", "nobody", "one"))
        if not _ended(pid, PATIENCE):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        faults = self._reap()
        if not told.exists():
            return [*faults, f"the recovery failed: {self._said()}"]
        said = json.loads(told.read_text(encoding="utf-8"))
        faults += [f"check: {finding}" for finding in said["findings"]]
        path = self.config.database_path
        faults += embedding_faults(path, self.expected, said["chroma"]) + self._lost_answers(said["saved"])
        return faults + differences(content(path), fresh_content(self.config, self.scratch / "fresh"))

    def _lost_answers(self, saved: Sequence[str]) -> list[str]:
        """Every answer that a client was told is saved must be; each client may have missed one such word."""
        lost, unheard = self.saved - set(saved), set(saved) - self.saved
        self.saved = set(saved)
        faults = [f"saved answers lost: {len(lost)}"] if lost else []
        return faults + ([f"answers saved twice: {len(unheard)}"] if len(unheard) > CLIENTS else [])

    def _index_and_check(self, told: Path) -> int:
        with Workspace.with_models(self.config, Access.OWN, HashEmbedder(), None) as workspace:
            workspace.index(lambda *_: None, DeletionPolicy.ACCEPT)
            said = workspace.check_deep(lambda *_: None)
            findings = [f"{found.invariant}: {found.detail}" for found in said if found.severity != "info"]
            chroma: list[str] = []
            try:
                vectors = workspace._meaning.index()
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


def kill_index(harness: Harness, kill: Kill) -> None:
    harness.run_command(["index"], kill)


def kill_watcher(harness: Harness, kill: Kill) -> None:
    """The vault goes on changing while it is watched."""
    pid = harness.start(["watch", "--json", *harness.places], kill.death)
    left = kill.death.seconds if kill.death.by == "time" else WATCHED_SECONDS
    for _ in range(harness.random.randint(0, 3)):
        pause = min(left, harness.random.uniform(0, WATCHED_SECONDS / 2))
        left -= pause
        if _ended(pid, pause):
            break
        kill.changes += harness.living.change(harness.random.randint(1, MOST_CHANGES // 2))
    if not _ended(pid, left):
        harness.end(pid, kill.death)
    harness.note_end(pid, kill)


def kill_server(harness: Harness, kill: Kill) -> None:
    """Two clients search and ask, and have the changed vault indexed, while the server is killed."""
    answered = harness.scratch / "answered"
    answered.write_bytes(b"")
    pid = harness.start(["serve", "--port", "0", *harness.places], kill.death)
    clients = [_fork_client(harness.config, pid, answered, turn) for turn in range(CLIENTS)]
    _wait_until_ready(harness.config, pid)
    if not _ended(pid, kill.death.seconds if kill.death.by == "time" else SERVED_SECONDS):
        harness.end(pid, kill.death)
    for client in clients:
        os.waitpid(client, 0)
    harness.note_end(pid, kill)
    replies = answered.read_text(encoding="utf-8").splitlines()
    kill.answers = len(replies)
    harness.saved.update(filter(None, replies))


OPERATIONS: dict[str, Callable[[Harness, Kill], None]] = {
    "index": kill_index,
    "watch": kill_watcher,
    "serve": kill_server,
}


def _fork_client(config: Config, server: int, answered: Path, turn: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            if _wait_until_ready(config, server):
                _ask_until_gone(config, answered, turn)
        finally:
            os._exit(0)
    return pid


def _wait_until_ready(config: Config, server: int) -> bool:
    """Wait until the server has announced itself; return whether it lives."""
    while (endpoint := read_endpoint(config.home)) is None or endpoint.pid != server:
        if _ended(server, POLL_SECONDS):
            return False
    return True


def _ask_until_gone(config: Config, answered: Path, turn: int) -> None:
    """Ask the server without end; each reply that came whole is a line in `answered`, with the id of what it saved."""
    endpoint = read_endpoint(config.home)
    assert endpoint is not None
    token = read_token(config.token_path)
    requests: tuple[tuple[str, dict[str, str | bool]], ...] = (
        ("/search", {"query": SENTENCES[turn]}),
        ("/ask", {"question": SENTENCES[turn + 5], "save": True}),
        ("/index", {}),
        ("/ask", {"question": SENTENCES[turn + 2], "save": True}),
    )
    with answered.open("ab", buffering=0) as log:
        for number in range(turn, 1_000_000):
            path, body = requests[number % len(requests)]
            try:
                connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=PATIENCE)
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                connection.request("POST", path, json.dumps(body), headers)
                reply = connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                return
            saved = SAVED.search(reply.decode("utf-8", "replace"))
            log.write(((saved[1] if saved else "") + "\n").encode())


def _ended(pid: int, seconds: float) -> bool:
    """Wait so long for a process; return whether it has ended. It stays to be collected."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _descendants(pid: int) -> list[int]:
    """Return the processes that this one started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # the thread has ended
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _signal_all(pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _vault_state(vault: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in vault.rglob("*")}


def load_killer(folder: Path) -> ctypes.CDLL:
    """Compile the counting library, preload it by running this program anew, and return it."""
    library = folder / "killer.so"
    if os.environ.get("LD_PRELOAD") != str(library):
        folder.mkdir(parents=True, exist_ok=True)
        source = Path(__file__).with_name("killer.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
        os.environ.update(LD_PRELOAD=str(library), OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        os.execv(sys.executable, [sys.executable, "-m", "tests.kill_harness", *sys.argv[1:]])
    killer = ctypes.CDLL(str(library))
    killer.killer_arm.argtypes = [ctypes.c_long, ctypes.c_int]
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    return killer


def main() -> int:
    options = _options()
    scratch = options.scratch or Path(tempfile.gettempdir()) / f"vaultrag-kills-{options.seed}"
    killer = load_killer(scratch / "tools")
    harness = Harness(scratch / "ground", options.seed, killer)
    operations = options.operations.split(",")
    done, number = _resume(options.state)
    faulty, began = 0, number
    while done < options.kills:
        if number == began or number % ROUNDS == 0:
            harness.begin(f"{options.seed} {number}")
        kill = harness.kill(number, options.seed, operations[number % len(operations)])
        number += 1
        done += kill.killed
        _write_down(kill, options.state)
        if kill.faults:
            faulty += 1
            shutil.copytree(harness.scratch, scratch / f"fault-{options.seed}-{kill.number}", dirs_exist_ok=True)
            harness.begin(f"{options.seed} {number}")
    shutil.rmtree(harness.scratch, ignore_errors=True)
    return 1 if faulty else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kill_harness")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operations", default=",".join(OPERATIONS))
    parser.add_argument("--state", type=Path, help="a file of one line a kill, to go on from")
    parser.add_argument("--scratch", type=Path)
    return parser.parse_args()


def _resume(state: Path | None) -> tuple[int, int]:
    """Return how many kills were done, and the number of the next try."""
    if state is None or not state.exists():
        return 0, 0
    kills = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    return sum(kill["killed"] for kill in kills), len(kills)


def _write_down(kill: Kill, state: Path | None) -> None:
    line = json.dumps(asdict(kill), ensure_ascii=False)
    if state is None or kill.faults:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if state is not None:
        with state.open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
