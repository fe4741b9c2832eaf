"""Every note of the index read again: what its rows say, compared with what its file says now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from contextlib import closing
from dataclasses import dataclass, field

from vaultrag.config import Config
from vaultrag.domain import Change, ChangeKind, FileStat, Finding, LinkKind, Progress, counted
from vaultrag.errors import IndexDamaged, VaultError
from vaultrag.indexing.apply import Embeds
from vaultrag.indexing.diff import VaultDiff, diff_vault
from vaultrag.indexing.mentions import aliases_meant
from vaultrag.indexing.read import NoteReader, ReadNote, Recipe, UnreadableNote, read_all, read_and_stem
from vaultrag.store.database import Access, Database
from vaultrag.store.integrity.check import INDEX, REPAIR, check_index, examples
from vaultrag.store.integrity.check_home import check_home
from vaultrag.store.integrity.check_records import check_records
from vaultrag.store.integrity.check_vectors import check_vectors
from vaultrag.store.journal import Journal
from vaultrag.store.notes import graph, mentions, note_rows
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.chunk_rows import stems_of
from vaultrag.store.notes.mentions import Mention
from vaultrag.store.records import RecordBook
from vaultrag.store.vectors.index import VectorIndex
from vaultrag.vault.files import read_note
from vaultrag.vault.links import LinkResolver
from vaultrag.vault.parsing.lines import Lines

DAMAGED = "notes-as-read"
FATAL = {"sqlite-integrity", "schema"}  # a file of which nothing that it says can be trusted
SEVERITIES = ("error", "warning", "info")


@dataclass(slots=True)
class Verified:
    """How the rows of the notes stand. `damaged` says of each wrong note what of it is wrong.

    `outdated` lists what changed on disk since the index was brought up to date; that is no damage.
    """

    damaged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    outdated: dict[str, list[str]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    wrong_mentions: int = 0
    misnamed_files: list[str] = field(default_factory=list)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong, gravest first."""
        by_part: defaultdict[str, list[str]] = defaultdict(list)
        for path, parts in self.damaged.items():
            for part in parts:
                by_part[part].append(path)
        for part, paths in sorted(by_part.items()):
            detail = f"The {part} of {counted(len(paths), 'note')} in the index are not what the file says"
            yield Finding(DAMAGED, "error", f"{detail}: {examples(paths)}.", REPAIR)
        if self.wrong_mentions:
            count = counted(self.wrong_mentions, "mention")
            yield Finding("mentions-as-read", "error", f"{count} in the index are not what the notes say.", REPAIR)
        if self.misnamed_files:
            detail = f"{counted(len(self.misnamed_files), 'file')} cannot be found by name"
            yield Finding("files-named", "error", f"{detail}: {examples(self.misnamed_files)}.", REPAIR)
        for path, message in self.unread.items():
            yield Finding("note-readable", "warning", f"{path} could not be compared. {message}", "")
        for what, paths in self.outdated.items():
            yield Finding("notes-current", "warning", f"{what}: {examples(paths)}.", INDEX)


def check_everything(
    config: Config, database: Database, recipe: Recipe, vectors: VectorIndex | None, progress: Progress
) -> list[Finding]:
    """Return whatever is broken in the index, its files and its vectors, compared with the vault itself."""
    findings = check_index(database, vectors)
    if not any(finding.invariant in FATAL for finding in findings):
        try:
            findings += check_records(RecordBook(database, Journal(config.journal_path)))
            findings += verify_notes(config, database, recipe, progress).findings()
            findings += check_vectors(database, vectors, progress)
        except VaultError as error:
            findings.append(Finding("vault-readable", "warning", error.message, error.remedy))
        except IndexDamaged as error:
            findings.append(Finding("sqlite-integrity", "error", error.message, error.remedy))
    findings += check_home(config.home)
    if database.access is Access.READ:
        detail = "The keyword index and the vector index were not looked at: another process owns the index."
        findings.append(Finding("all-checked", "info", detail, "Run this again when the other process is done."))
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def verify_notes(config: Config, database: Database, recipe: Recipe, progress: Progress) -> Verified:
    """Compare every note's rows with its file. Nothing is written.

    Raises VaultError when the vault is not there, IndexDamaged when the catalogue itself cannot be read.
    """
    diff = diff_vault(config, Catalog(database), recipe)
    return _Verifier(config, database, recipe, diff).run(progress)


@dataclass(slots=True)
class _Verifier:
    config: Config
    database: Database
    recipe: Recipe
    diff: VaultDiff
    found: Verified = field(default_factory=Verified)
    _resolver: LinkResolver = field(init=False)

    def __post_init__(self) -> None:
        self._resolver = LinkResolver(sorted(graph.known_files(self.database)))

    def run(self, progress: Progress) -> Verified:
        stale = self._note_changes()
        stored = Catalog(self.database).stored_files()
        stats = [stat for path, stat in self.diff.stats.items() if path in stored and path not in stale]
        reader = NoteReader(read_and_stem, self.config.vault, self.config.settings.vault.max_note_bytes, self.recipe)
        with closing(read_all(reader, stats)) as reads:
            for done, (stat, read) in enumerate(zip(stats, reads, strict=True)):
                progress("verify", done, len(stats))
                self._verify(stat, read)
        progress("verify", len(stats), len(stats))
        self.found.misnamed_files = graph.misnamed_files(self.database)
        self.found.wrong_mentions = wrong_mentions(self.database)
        return self.found

    def _note_changes(self) -> Set[str]:
        """Note what a run of the indexer would do; return the notes that cannot be compared until then."""
        by_kind: defaultdict[ChangeKind, list[str]] = defaultdict(list)
        for change in self.diff.changes:
            if fault := self._fault(change):
                self.found.unread[change.path] = fault
            else:
                by_kind[change.kind].append(change.path)
        outdated = self.found.outdated
        for kind, paths in by_kind.items():
            outdated[f"{counted(len(paths), 'note')} {_SINCE[kind]}"] = paths
        if paths := [*self.diff.appeared, *self.diff.vanished]:
            outdated[f"{counted(len(paths), 'file')} came or went since links were followed"] = paths
        changed = {path for change in self.diff.changes for path in (change.path, change.old_path) if path}
        owed = Catalog(self.database).owed_readings()
        return changed | {*owed, *graph.embedding_notes(self.database, sorted(changed))}

    def _fault(self, change: Change) -> str:
        """Say why a note cannot be read that the index lacks: no run of the indexer would help."""
        if change.kind not in (ChangeKind.ADDED, ChangeKind.MODIFIED):
            return ""
        try:
            read_note(self.config.vault, self.diff.stats[change.path], self.config.settings.vault.max_note_bytes)
        except VaultError as error:
            return error.message
        return ""

    def _verify(self, stat: FileStat, read: ReadNote | UnreadableNote) -> None:
        if isinstance(read, UnreadableNote):
            self.found.unread[stat.path] = read.message
            return
        try:
            parts = self._differences(stat, read)
        except IndexDamaged:
            parts = ("rows",)
        except VaultError as error:
            self.found.unread[stat.path] = error.message
            return
        if parts:
            self.found.damaged[stat.path] = parts

    def _differences(self, stat: FileStat, read: ReadNote) -> tuple[str, ...]:
        embeds = Embeds(self.config, self.diff.stats.get, self._resolver.resolve)
        if embeds.are_in(read.note):
            read = embeds.read(stat, self.recipe)
        stems = read.stems or [stems_of(chunk) for chunk in read.chunks]
        expected = note_rows.expected_rows(read.note, stat, read.chunks, stems, self._resolver.resolve)
        stored = note_rows.stored_rows(self.database, stat.path)
        return expected.differences(stored) if stored else ("rows",)


_SINCE: Mapping[ChangeKind, str] = {
    ChangeKind.ADDED: "of the vault are not in the index yet",
    ChangeKind.MODIFIED: "changed since they were indexed",
    ChangeKind.REMOVED: "in the index are gone from the vault",
    ChangeKind.MOVED: "moved since they were indexed",
}


def wrong_mentions(database: Database) -> int:
    """Count the mentions whose words stand nowhere, or whose name is not the target's, and aliases that are missing.

    Notes whose mentions are still to be looked for are left out, and aliases as long as any are.
    """
    with database.snapshot():
        owed, stored = set(mentions.owed(database)), mentions.all_rows(database)
        spoken = [row for row in stored if row.kind == LinkKind.MENTION and not owed & {row.source_id, row.target_id}]
        names = mentions.names(database)
        aliases = {row for row in stored if row.kind == LinkKind.ALIAS}
        wrong = set() if mentions.is_owed(database) else aliases ^ set(aliases_meant(database, names))
        texts: defaultdict[int, list[mentions.Text]] = defaultdict(list)
        for text in mentions.texts(database, sorted({row.source_id for row in spoken})):
            texts[text.note_id].append(text)
    borne = {(name.note_id, name.name) for name in names}
    stand = [(row.target_id, row.name) in borne and any(_says(t, row) for t in texts[row.source_id]) for row in spoken]
    return len(wrong) + stand.count(False)


def _says(passage: mentions.Text, mention: Mention) -> bool:
    """Tell whether the words begin on the line that the mention names."""
    lines, number = Lines(passage.text), mention.line - passage.first_line
    if not 0 <= number < len(lines):
        return False
    return passage.text.find(mention.text, lines.starts[number]) in range(lines.starts[number], lines.ends[number] + 1)
