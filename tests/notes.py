"""Hand-made notes and chunks, for tests of the store that need no parser."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from vaultrag.domain import Chunk, FileStat, Link, LinkKind, Note, Span
from vaultrag.store.notes.catalog import Catalog
from vaultrag.text import language


def make_chunks(path: str, texts: Iterable[str]) -> list[Chunk]:
    """One chunk a text, each on a line of its own."""
    chunks: list[Chunk] = []
    seen: dict[str, int] = {}
    for line, text in enumerate(texts, start=1):
        seen[text] = seen.get(text, 0) + 1
        chunks.append(
            Chunk(
                id=_hash(f"{path}|{text}|{seen[text]}"),
                path=path,
                heading_path=("Heading",),
                span=Span(line, 1, line, max(len(text), 1)),
                block_id="",
                speaker="",
                text=text,
                embedded=text,
                language=language.language_of(text),
                text_hash=_hash(text),
            )
        )
    return chunks


def make_note(path: str, texts: Sequence[str] = (), links: Sequence[str] = (), aliases: Sequence[str] = ()) -> Note:
    return Note(
        path=path,
        title=path.rpartition("/")[2].removesuffix(".md"),
        text="\n".join(texts),
        aliases=tuple(aliases),
        tags=("проба", "test"),
        links=tuple(Link(target, LinkKind.WIKILINK, "", target, 1) for target in links),
        content_hash=_hash("\n".join(texts)),
    )


def make_stat(path: str, mtime_ns: int = 1) -> FileStat:
    return FileStat(path=path, fs_path=path, size=1, mtime_ns=mtime_ns, inode=1)


def resolve_nothing(target: str, source: str) -> str | None:
    return None


def write(
    catalog: Catalog, path: str, texts: Sequence[str], links: Sequence[str] = (), aliases: Sequence[str] = ()
) -> int:
    """Write a hand-made note whose links resolve to nothing."""
    note = make_note(path, texts, links, aliases)
    return catalog.write_note(note, make_stat(path), make_chunks(path, texts), resolve=resolve_nothing)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
