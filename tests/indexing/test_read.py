"""Notes read in worker processes: the same as here, in the same order, whatever happens to a worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles import count_words
from vaultrag.domain import FileStat
from vaultrag.errors import VaultError
from vaultrag.indexing.read import (
    NoteReader,
    ReadNote,
    Recipe,
    UnreadableNote,
    read_all,
    read_and_cut,
    read_and_stem,
    read_on_cores,
)
from vaultrag.vault.files import scan_vault

RECIPE = Recipe(count_words, "words", 100, 200)
NOTES = 70  # two batches and a bit


def write_vault(folder: Path) -> list[FileStat]:
    for number in range(NOTES):
        (folder / f"Заметка {number:03}.md").write_text(f"# Note {number}\n\nТекст о бойлере, [[Note]].\n", "utf-8")
    return list(scan_vault(folder, ()).notes)


@pytest.mark.slow
def test_workers_read_as_this_process_does(vault: Path) -> None:
    stats = write_vault(vault)
    os.mkfifo(vault / "meeting")
    found = list(read_on_cores(NoteReader(_meet, vault, 10_000, RECIPE), stats, 2))
    assert (vault / "worker.pid").exists()
    assert found == list(NoteReader(read_and_stem, vault, 10_000, RECIPE).run(stats))
    assert [read.note.path for read in found if isinstance(read, ReadNote)] == [stat.path for stat in stats]


def test_unreadable_note_is_told_and_the_others_go_on(vault: Path) -> None:
    stats = write_vault(vault)
    (vault / stats[3].path).unlink()
    found = list(read_on_cores(NoteReader(read_and_cut, vault, 10_000, RECIPE), stats, 2))
    assert isinstance(found[3], UnreadableNote)
    assert found[3].remedy
    assert sum(isinstance(read, ReadNote) for read in found) == NOTES - 1


def test_counter_made_in_place_is_read_with_here(vault: Path) -> None:
    stats = write_vault(vault) * 10
    recipe = Recipe(lambda text: len(text) // 3, "letters", 100, 200)
    assert len(list(read_all(NoteReader(read_and_cut, vault, 10_000, recipe), stats))) == len(stats)


def test_dead_worker_costs_no_note(vault: Path) -> None:
    stats = write_vault(vault)
    found = list(read_on_cores(NoteReader(_die_elsewhere, vault, 10_000, RECIPE), stats, 2))
    assert [read.note.path for read in found if isinstance(read, ReadNote)] == [stat.path for stat in stats]


def test_workers_end_when_their_parent_is_killed(vault: Path) -> None:
    write_vault(vault)
    os.mkfifo(vault / "meeting")
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.indexing.test_read import *\n"
        "from tests.indexing.test_read import _meet\n"
        "if __name__ == '__main__':\n"
        "    vault = Path(sys.argv[1])\n"
        "    reader = NoteReader(_meet, vault, 10_000, RECIPE)\n"
        "    found = read_on_cores(reader, list(scan_vault(vault, ()).notes), 2)\n"
        "    next(found)\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    script = vault / "parent.py"
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, str(script), str(vault)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        worker = int((vault / "worker.pid").read_text())
        parent.kill()
        parent.stdout.read()  # ends when the worker, who holds the other end too, is gone
    assert not _lives(worker)


def _meet(vault: Path, stat: FileStat, max_bytes: int, recipe: Recipe) -> ReadNote:
    """Read a note; the first one here and the first one in the worker wait for each other."""
    told, meeting = vault / "worker.pid", vault / "meeting"
    if multiprocessing.parent_process() is None:
        if meeting.exists():
            meeting.read_bytes()
            meeting.unlink()
    elif not told.exists():
        told.write_text(str(os.getpid()))
        meeting.write_bytes(b"")
    return read_and_stem(vault, stat, max_bytes, recipe)


def _die_elsewhere(vault: Path, stat: FileStat, max_bytes: int, recipe: Recipe) -> ReadNote:
    """Kill the process when it is a worker; read the note when it is the one that was started."""
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return read_and_cut(vault, stat, max_bytes, recipe)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_error_of_reading_is_the_same_here(vault: Path) -> None:
    stats = write_vault(vault)
    (vault / stats[0].path).unlink()
    first = next(NoteReader(read_and_cut, vault, 10_000, RECIPE).run(stats))
    with pytest.raises(VaultError) as raised:
        read_and_cut(vault, stats[0], 10_000, RECIPE)
    assert first == UnreadableNote(raised.value.message, raised.value.remedy)
