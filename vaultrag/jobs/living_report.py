"""What a night's report says of kept answers: which no longer hold, what they said, and what the line says now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vaultrag.domain import Fate, LivingAnswer, LivingSource
from vaultrag.records.archive import Archive
from vaultrag.records.footnotes import NoteLinks
from vaultrag.store.night.living import untold_records

LONGEST = 300  # characters of a line that is quoted: two lines of a page


def fallen_answers(archive: Archive) -> tuple[LivingAnswer, ...]:
    """Return the kept answers of which no report has told that they no longer hold, or may not."""
    untold = set(untold_records(archive.database))
    looked = [archive.look_at(saved) for saved in archive.answers() if saved.id in untold]
    return tuple(one for one in looked if one.fate is not Fate.HOLDS)


def fallen_lines(
    answers: Sequence[LivingAnswer], links: NoteLinks, said: Callable[..., str], plain: Callable[[str], str]
) -> Iterator[str]:
    """Yield a line for each citation that is no longer what it was: old words, new words, and where they stand."""
    for answer in answers:
        for source in answer.sources:
            if source.fate is not Fate.HOLDS:
                yield said(f"fallen_{_form(source)}", **_values(answer, source, links, plain))


def _form(source: LivingSource) -> str:
    return source.fate if source.now or source.fate is Fate.GONE else "unread"


def _values(
    answer: LivingAnswer, source: LivingSource, links: NoteLinks, plain: Callable[[str], str]
) -> dict[str, object]:
    return {
        "about": plain(answer.about),
        "id": answer.id,
        "note": links.to_note(source.path),
        "line": source.lines[0] if source.lines else 0,
        "said": plain(_short(source.said)),
        "now": plain(_short(source.now)),
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
