"""Where the notes disagree: what was found, what the user decided about it, and the looking for more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from datetime import UTC, date, datetime

from vaultrag.config import Config
from vaultrag.contradictions.claims.extract import EXTRACTOR
from vaultrag.contradictions.claims.kept import extract_owed
from vaultrag.contradictions.copies import without_copies
from vaultrag.contradictions.grouping import grouped, side_like
from vaultrag.contradictions.kept import all_kept, compare_owed, recipe_of
from vaultrag.contradictions.note_texts import NoteTexts
from vaultrag.contradictions.scan import pair_key
from vaultrag.domain import ClaimFinding, FindingKind, Progress, ScanStanding, Span, Verdict, VerdictState, unwatched
from vaultrag.errors import ModelError, UsageError
from vaultrag.records.archive import Archive, open_for_records
from vaultrag.runtime.pool import ModelPool
from vaultrag.store.claims import claim_count, owed_notes_count
from vaultrag.store.database import Access, Database
from vaultrag.store.night.findings import DISAGREEMENTS, told_keys
from vaultrag.store.pairs.judgements import failed_count, owed_comparisons, removed_count
from vaultrag.workspace.pair_judges import PairJudges
from vaultrag.workspace.vectors import VectorSearch

LIST = "See: vaultrag contradictions --all"


class ClaimFindings:
    """The disagreements that were found in one index. To read and to decide, an index open for reading is enough."""

    def __init__(self, config: Config, database: Database, vectors: VectorSearch, models: ModelPool) -> None:
        self._config = config
        self._database = database
        self._vectors = vectors
        self._models = models

    def all(self, language: str = "en") -> list[ClaimFinding]:
        """Return what was found, decided or not, with reasons in a language: contradictions first, the surest first.

        What copies of a note say alike is told once. Raises IndexDamaged.
        """
        shown = [finding for finding in self._read(language) if not finding.gate]
        told = told_keys(self._database, DISAGREEMENTS)
        return without_copies(shown, lambda finding: finding.decided is not None or finding.key in told)

    def removed(self, language: str = "en") -> list[ClaimFinding]:
        """Return what a gate keeps back, each with its `gate`. Raises IndexDamaged."""
        return [finding for finding in self._read(language) if finding.gate]

    def of_notes(self, paths: Collection[str], language: str = "en") -> list[ClaimFinding]:
        """Return what was found of these notes, as `all` does."""
        shown = (finding for finding in self._read(language, paths) if not finding.gate)
        found = [finding for finding in shown if not set(paths).isdisjoint(finding.paths)]
        return without_copies(found, lambda finding: finding.decided is not None)

    def touching(self, places: Iterable[tuple[str, Span]], language: str = "en") -> list[ClaimFinding]:
        """Return the open findings of which a claim shares a line with one of these places."""
        wanted = list(places)
        if not wanted:
            return []
        today = _today()
        return [
            finding
            for finding in self.of_notes({path for path, _ in wanted}, language)
            if finding.is_open(today) and any(_touches(finding, path, span) for path, span in wanted)
        ]

    def find(self, beginning: str, language: str = "en") -> ClaimFinding:
        """Return the finding whose key begins so. Raises UsageError."""
        wanted = beginning.strip().lower() or "-"
        shown = (finding for finding in self._read(language) if not finding.gate)
        found = [finding for finding in shown if finding.key.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        what = "Several findings have keys that begin" if found else "No finding has a key that begins"
        raise UsageError(f"{what} with “{beginning[:40]}”.", LIST)

    def decide(self, beginning: str, state: VerdictState, note: str = "", until: str = "", right: str = "") -> Verdict:
        """Keep what the user decided about the finding whose key begins so, in place of an earlier verdict.

        It holds for its copies, too: the same words against the same words in other places.
        `until` is the day (`YYYY-MM-DD`) on which a snoozed one comes back; `right` the key of the claim that is right.
        Raises UsageError, and StoreError as `Archive.decide` does.
        """
        finding = self.find(beginning)
        if right and right not in (finding.one.key, finding.other.key):
            raise UsageError("The claim that is said to be right is of another finding.", LIST)
        _require_day(state, until)
        side = finding.one if right == finding.one.key else finding.other
        verdicts = [
            Verdict(copy.key, state, copy.paths, note.strip(), until, side_like(side, copy).key if right else "")
            for copy in self._copies(finding)
        ]
        self._archived(lambda archive: _decided(archive, verdicts))
        return verdicts[0]

    def reopen(self, beginning: str) -> bool:
        """Take a verdict back, of copies, too; return whether there was one. Raises UsageError."""
        keys = [copy.key for copy in self._copies(self.find(beginning))]
        return self._archived(lambda archive: sum(archive.reopen(key) for key in keys) > 0)

    def standing(self) -> ScanStanding:
        """Return how far the look is by what would be compared with now: a new judge or embedder owes all of it."""
        with closing(PairJudges(self._config, self._models)) as judging:
            judges = judging.judges
            recipe = recipe_of(judges, self._vectors.embedder()[0])
        return ScanStanding(
            claims=claim_count(self._database),
            notes_owed=owed_notes_count(self._database, EXTRACTOR),
            claims_owed=owed_comparisons(self._database, recipe),
            not_judged=sum(failed_count(self._database, judge) for judge in judges.fingerprints),
            removed=removed_count(self._database),
            judge=judging.name,
            unmeasured=judging.unmeasured,
        )

    def extract(self, progress: Progress = unwatched, must_stop: Callable[[], bool] = lambda: False) -> int:
        """Extract the claims of what changed; return of how many passages. What it does not reach stays owed."""
        return extract_owed(self._database, progress, must_stop=must_stop)

    def compare(self, progress: Progress = unwatched, must_stop: Callable[[], bool] = lambda: False) -> int:
        """Compare the claims that changed with all others; return how many. What it does not reach stays owed.

        Raises ModelError where the judge failed: what code alone finds is kept all the same, its pairs not judged.
        """
        texts = NoteTexts(self._config, self._database)
        with closing(PairJudges(self._config, self._models)) as judging:
            embedder = self._vectors.embedder()[0]
            told = compare_owed(self._database, texts.at, judging.judges, embedder, progress, must_stop)
            if judging.failure is not None and told.not_judged:
                raise _unjudged(judging.name, told.not_judged, judging.failure)
        return told.claims

    def _copies(self, finding: ClaimFinding) -> list[ClaimFinding]:
        """Return a finding and its copies, itself first."""
        shown = (one for one in self._read("en") if not one.gate)
        of_kind = [one for one in shown if one.kind is finding.kind and one.key != finding.key]
        [group, *_] = grouped([finding, *of_kind])
        return [group.finding, *group.copies]

    def _read(self, language: str, paths: Collection[str] | None = None) -> list[ClaimFinding]:
        verdicts = Archive(self._config, self._database).verdicts()
        kinds = list(FindingKind)
        said = [
            kept.finding.said(language, _moment(kept.at), verdicts.get(pair_key(kept.finding.one, kept.finding.other)))
            for kept in all_kept(self._database, paths)
        ]
        return sorted(said, key=lambda finding: (kinds.index(finding.kind), -finding.confidence, finding.key))

    def _archived(self, act: Callable[[Archive], bool | None]) -> bool:
        if self._database.access is Access.WRITE:
            return bool(act(Archive(self._config, self._database)))
        with open_for_records(self._config) as database:
            return bool(act(Archive(self._config, database)))


def _decided(archive: Archive, verdicts: Iterable[Verdict]) -> None:
    for verdict in verdicts:
        archive.decide(verdict)


def _require_day(state: VerdictState, until: str) -> None:
    if state is not VerdictState.SNOOZED:
        if until:
            raise UsageError("Only a snoozed finding comes back on a day.", "Snooze it, or leave the day out.")
        return
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise UsageError(f"`{until[:40]}` is no day.", "Write it as 2027-03-15.") from None
    if day <= _today():
        raise UsageError(f"{until} is not in the future.", "Name a later day.")


def _unjudged(name: str, count: int, failure: ModelError) -> ModelError:
    message = f"The judge {name} gave nothing for {count} pairs of claims, so they are not judged. {failure.message}"
    return type(failure)(message, failure.remedy)


def _touches(finding: ClaimFinding, path: str, span: Span) -> bool:
    return any(
        claim.path == path and claim.span.first_line <= span.last_line and span.first_line <= claim.span.last_line
        for claim in (finding.one, finding.other)
    )


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(timespec="seconds")


def _today() -> date:
    return datetime.now().astimezone().date()  # the user's own
