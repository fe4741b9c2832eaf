"""The journal: what was acknowledged is there, what was torn or damaged is known as such."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vaultrag.errors import IndexTooNew
from vaultrag.store.journal import Entry, Journal, as_body, as_lines, parse_lines

FIRST = Entry("answer", "a1", 1, as_body({"paths": ["Дом/Бойлер.md"], "text": "95 лари\nи строка \u2028"}))
SECOND = Entry("verdict", "v1", 2, as_body({"paths": [], "note": "checked"}))
GONE = Entry("answer", "a1", 3, None)
ALL = (FIRST, SECOND, GONE)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "home" / "journal.jsonl")


def test_entries_come_back_in_order(journal: Journal) -> None:
    assert journal.read().entries == ()
    journal.append(ALL[:2])
    size = journal.append(ALL[2:])
    assert journal.read().entries == ALL
    assert journal.read().damaged == ()
    assert size == journal.size() == journal.path.stat().st_size


def test_only_its_user_may_read_it(journal: Journal) -> None:
    journal.append(ALL)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    journal.rewrite(ALL)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_every_line_is_json_that_other_programs_read(journal: Journal) -> None:
    journal.append(ALL)
    lines = [json.loads(line) for line in journal.path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert lines[0]["op"]["body"]["paths"] == ["Дом/Бойлер.md"]
    assert lines[2]["op"]["body"] is None


def test_journal_cut_anywhere_keeps_what_was_acknowledged_and_takes_more(journal: Journal) -> None:
    whole = as_lines(ALL)
    ends = [end for end in range(len(whole) + 1) if whole[:end].endswith(b"\n")]
    journal.path.parent.mkdir()
    for cut in range(len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        complete = sum(end <= cut for end in ends) + (cut + 1 in ends)  # only the end of its line may lack
        assert journal.read().entries == ALL[:complete], cut
        assert journal.read().damaged == (), cut
        journal.append([SECOND])
        assert journal.read().entries == (*ALL[:complete], SECOND), cut
        assert journal.read().damaged == (), cut


def test_every_flipped_bit_is_found_and_named_by_its_line() -> None:
    whole = as_lines(ALL)
    for place in range(len(whole) - 1):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            reading = parse_lines(bytes(flipped), "journal")
            assert set(reading.entries) < set(ALL), (place, bit)
            line = whole[:place].count(b"\n") + 1
            ends_a_line = whole[place : place + 1] == b"\n"
            assert reading.damaged[0] == line if not ends_a_line else reading.damaged, (place, bit)


def test_lines_that_only_look_like_ours_are_damaged(journal: Journal) -> None:
    strange = [
        b'{"kind": 1, "key": "k", "at": 1, "body": {}}',
        b'{"kind": "k", "key": "k", "at": -1, "body": {}}',
        b'{"kind": "k", "key": "k", "at": 9223372036854775808, "body": {}}',
        b'{"kind": "k", "key": "k", "at": true, "body": {}}',
        b'{"kind": "k", "key": "k", "at": 1, "body": [1]}',
        b'{"kind": "k", "key": "\\ud800", "at": 1, "body": {}}',
        b'{"kind": "k", "key": "k", "at": 1}',
        b'{"kind": "k", "key": "k", "at": 1, "body": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
        b"{}",
        b'{"kind": }',
    ]
    lines = b"".join(_line(1, operation) for operation in strange)
    assert parse_lines(lines, "journal").damaged == tuple(range(1, len(strange) + 1))


def test_sound_line_of_a_newer_version_is_refused(journal: Journal) -> None:
    with pytest.raises(IndexTooNew):
        parse_lines(_line(2, b'{"whatever": 1}'), "journal")


def test_rewriting_keeps_nothing_else(journal: Journal) -> None:
    journal.append(ALL)
    journal.rewrite([SECOND])
    assert journal.read().entries == (SECOND,)
    assert os.listdir(journal.path.parent) == [journal.path.name]


def test_full_disk_is_said_and_leaves_the_journal_sound(tmp_path: Path) -> None:
    script = (
        "import errno, os, sys; from pathlib import Path\n"
        "from tests.store.test_journal import ALL, FIRST, Journal\n"
        "from vaultrag.errors import DiskFull\n"
        "journal = Journal(Path(sys.argv[1])); journal.append(ALL)\n"
        "real, left = os.write, [40]\n"
        "def write(descriptor, data):\n"
        "    if left[0] <= 0: raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
        "    data = data[:left[0]]; left[0] -= len(data); return real(descriptor, data)\n"
        "os.write = write\n"
        "try: journal.append([FIRST])\n"
        "except DiskFull: print('full', journal.read().entries == ALL, journal.read().damaged)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "journal.jsonl")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "full True ()"


def _line(version: int, operation: bytes) -> bytes:
    from vaultrag.store.journal import _checksum

    return b'{"v":%d,"sum":"%s","op":%s}\n' % (version, _checksum(version, operation).encode(), operation)
