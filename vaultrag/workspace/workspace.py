"""One open vault: the only place where stores, models and engines are put together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Generator, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from vaultrag.answering.answer import language_of_answer
from vaultrag.answering.conversation import in_conversation, understand
from vaultrag.answering.judging.calibration import WORDING, Calibration
from vaultrag.answering.judging.calibration_files import calibration_of
from vaultrag.answering.vault_questions.listing import answer_from_catalogue
from vaultrag.config import Config
from vaultrag.domain import (
    NOT_KEPT,
    USUAL,
    AnswerEvent,
    ChatModel,
    Embedder,
    Filter,
    IndexReport,
    IndexStatus,
    Keep,
    Listing,
    Manner,
    Mode,
    Progress,
    Role,
    SearchResult,
    Vectors,
    unwatched,
)
from vaultrag.errors import IndexMissing, StoreError, UsageError, VaultError
from vaultrag.indexing.apply import DeletionPolicy, apply_changes
from vaultrag.indexing.diff import diff_vault
from vaultrag.indexing.embed import never
from vaultrag.indexing.periodic_notes import periodic_notes
from vaultrag.indexing.read import ReadNote, Recipe, read_and_cut
from vaultrag.indexing.update import IndexUpdater, UpdateResult
from vaultrag.maintenance.probe_results import vault_calibration
from vaultrag.maintenance.probe_vault import VaultProbing
from vaultrag.maintenance.status import read_status
from vaultrag.records.archive import Archive, open_for_records
from vaultrag.records.forget import Forgetting
from vaultrag.records.queue import JobQueue
from vaultrag.retrieval.filters import ParsedQuery, parse_query, parse_scope
from vaultrag.retrieval.search import ALL_LANES, Searcher
from vaultrag.runtime.pool import ModelPool
from vaultrag.store import database as db
from vaultrag.store.attention import was_read_whole
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.filters import allowed_rows
from vaultrag.store.notes.vocabulary import VocabularyReader
from vaultrag.store.opening import open_database
from vaultrag.store.owner import OwnerLock
from vaultrag.store.probes import ProbeRow, write_probes
from vaultrag.workspace.asking import AWAITED, Asking, Terms
from vaultrag.workspace.contested import with_findings
from vaultrag.workspace.findings import ClaimFindings
from vaultrag.workspace.histories import Histories
from vaultrag.workspace.inert_answers import inert_events
from vaultrag.workspace.judging import judge_key
from vaultrag.workspace.keeping import Keeping
from vaultrag.workspace.longer import LongerWay
from vaultrag.workspace.owed import OwedWork
from vaultrag.workspace.readiness import Health
from vaultrag.workspace.upkeep import Upkeep
from vaultrag.workspace.vectors import VectorSearch

NOT_WHOLE = "Not every note can be found yet: the first look at the vault has not ended (`vaultrag index`)."


class Ownership(StrEnum):
    """READ looks at an index that somebody else may own; OWN takes the owner's lock and may write."""

    READ = "read"
    OWN = "own"


class Reach(StrEnum):
    """FULL uses every lane; WORDS only those that need no model."""

    FULL = "full"
    WORDS = "words"


class Workspace:
    """An open vault. Every method may be called from any thread; questions to the model queue up."""

    def __init__(self, config: Config, access: Ownership, models: ModelPool) -> None:
        self.config = config
        self.models = models
        self._lock = OwnerLock(config.lock_path)
        self._access = access
        if access is Ownership.OWN:
            self._lock.acquire()
        try:
            self.database = open_database(config.database_path, _DATABASE_ACCESS[access])
        except BaseException:
            self._lock.release()
            raise
        self._vocabulary = VocabularyReader(self.database)
        chroma_path = config.chroma_path if access is Ownership.OWN else None
        self.health = Health(self.database, models)
        self.vectors = VectorSearch(self.database, models, chroma_path)
        self._updater = IndexUpdater(config, self.database, self._recipe)
        self.owed = OwedWork(self.database, self.vectors)
        if access is Ownership.OWN:
            self._bring_records_up()

    @classmethod
    def open(cls, config: Config, access: Ownership) -> Workspace:
        """Open the vault's index. Raises IndexLocked, IndexMissing (to read), IndexTooNew or IndexDamaged."""
        return cls(config, access, ModelPool.of(config))

    @classmethod
    def with_models(
        cls, config: Config, access: Ownership, embedder: Embedder | None, model: ChatModel | None
    ) -> Workspace:
        """Open the vault with models made by the caller, for programs that bring their own."""
        return cls(config, access, ModelPool.given(config, embedder, model))

    def index(self, progress: Progress, deletions: DeletionPolicy) -> IndexReport:
        """Bring the index up to the vault and embed what is owed; without an embedder words are indexed all the same.

        Raises VaultError when the vault is missing or a fifth of it is gone and `deletions` guards against that.
        """
        started = time.perf_counter()
        embedder, warnings = self.vectors.embedder()
        if embedder is not None:
            self.models.warm_embedder()
        self.forgetting.finish_owed(progress)
        applied = self._updater.run(progress, deletions)
        self._bring_records_up()
        with ThreadPoolExecutor(1, thread_name_prefix="mentions") as beside:  # the embedder has a process of its own
            looked_for = beside.submit(self.owed.find_mentions)
            embedded = self.owed.embed(progress, never)
            looked_for.result()
        status = self.status()
        return IndexReport(
            notes=status.notes,
            added=applied.added,
            modified=applied.modified,
            moved=applied.moved,
            removed=applied.removed,
            chunks=status.chunks,
            embedded=embedded,
            seconds=round(time.perf_counter() - started, 2),
            failed=tuple(applied.findings),
            warnings=warnings,
        )

    def follow(self, places: Collection[str] | None, progress: Progress) -> UpdateResult:
        """Bring words and links up to some places of the vault; None is all of it. Mentions and embeddings are owed.

        Raises VaultError when the vault is missing.
        """
        followed = self._updater.follow(places, progress)
        if followed.applied.moved:
            self._bring_records_up()
        return followed

    def search(self, query: str, k: int, reach: Reach = Reach.FULL, lanes: Set[str] = ALL_LANES) -> SearchResult:
        """Return the k best passages, by the given lanes. A query may hold filters, as `tag:work`.

        Raises IndexMissing before the first run, UsageError for a filter that is none.
        """
        parsed = parse_query(query)
        result = self._find(parsed, k, reach if parsed.text.strip() else Reach.WORDS, lanes)
        return replace(result, query=query)

    def _find(
        self, query: ParsedQuery, k: int, reach: Reach, lanes: Set[str], today: date | None = None
    ) -> SearchResult:
        self._require_notes()
        today = today or _today()
        found, fingerprint = self._find_once(query, k, reach, lanes, today)
        if fingerprint != self.vectors.fingerprint:  # another embedder took over in between
            found, _ = self._find_once(query, k, reach, lanes, today)
        return found if was_read_whole(self.database) else replace(found, warnings=(*found.warnings, NOT_WHOLE))

    def _find_once(
        self, query: ParsedQuery, k: int, reach: Reach, lanes: Set[str], today: date
    ) -> tuple[SearchResult, str]:
        """Search; return the embedder that this was done by, too."""
        started = time.perf_counter()
        by_meaning = reach is Reach.FULL and "vector" in lanes
        vector = self.vectors.embed_question(query.text) if by_meaning else self.vectors.without_vector()
        embedded, section = time.perf_counter() - started, self.config.settings.search
        searcher = Searcher(self.database, vector.nearest, vector.fingerprint, vector.centres, section, today)
        result = searcher.search(query.text, k, vector.vector, lanes, vector.warnings, query.filters)
        total = round((time.perf_counter() - started) * 1000, 3)
        timings = {**result.timings, "embed": round(embedded * 1000, 3), "total": total}
        return replace(result, timings=timings), vector.fingerprint

    def ask(
        self, question: str, keep: Keep = NOT_KEPT, manner: Manner = USUAL, terms: Terms = AWAITED
    ) -> Generator[AnswerEvent, None, None]:
        """Answer from the notes, by their own lines where no model is here; closing the iterator aborts the model.

        Raises UsageError for a scope that is none, and ModelError subclasses. On other `terms` nothing is kept.
        """
        self._require_notes()
        scope = self._scope(manner.scope)  # the question itself holds no filters: its colons are words
        today = terms.at.astimezone().date() if terms.at else _today()
        way = self.longer_way(terms, scope)
        keeping = Keeping(self.config, self.database)
        said = keeping.exchanges(keep.chat, terms.at) if manner.earlier is None else manner.earlier
        understood = understand(question, said)
        manner = replace(manner, own=understood.own)
        listed = self.list_notes(understood.asked, today, scope) if manner.mode is not Mode.QUICK else None
        if manner.mode is Mode.QUICK or (listed and listed.sure):  # no search, however deep, counts notes better
            answerer = way.asking.answerer(way.search, manner)
            told = Histories(self.database, way.search, self._embedder_or_none, today, way.allowed).told
            answerer = replace(answerer, list_notes=lambda t: self.list_notes(t, today, scope), tell_history=told)
            events = answerer.answer(understood.asked, manner)
        else:
            events = way.events(understood, manner)
        language = language_of_answer(understood.asked, manner, self.config.settings.answering)
        events = with_findings(events, lambda places: self.findings.touching(places, language))
        shown = inert_events(in_conversation(understood, events))
        return keeping.kept(shown, keep) if terms.is_awaited else shown

    def _scope(self, scope: str) -> tuple[Filter, ...]:
        """Return the filters of a scope. Raises UsageError where nothing meets them: no answer could be true of it."""
        filters = parse_scope(scope)
        if filters and not allowed_rows(self.database, filters):
            raise UsageError(
                f"No note that is indexed meets `{scope}`.", "Name a folder, a note or a #tag of the vault."
            )
        return filters

    def longer_way(self, terms: Terms = AWAITED, scope: tuple[Filter, ...] = ()) -> LongerWay:
        """Return what long work over the notes of a scope is done with: search, look-ups, and who answers."""
        today = terms.at.astimezone().date() if terms.at else _today()

        def search(text: str, k: int) -> SearchResult:
            return self._find(ParsedQuery(text, scope), k, Reach.FULL, ALL_LANES, today)

        asking = Asking(self.config, self.models, self._embedder_or_none(), self.calibration, terms)
        allowed = allowed_rows(self.database, scope) if scope else None
        return LongerWay(
            self.config, self.models, self.database, asking, search, self._embedded, self.vectors.fingerprint, allowed
        )

    def _embedded(self, text: str) -> Vectors | None:
        return self.vectors.embed_question(text).vector

    def calibration(self, role: Role = Role.ANSWER) -> Calibration:
        """Return what is known of the scores of a role's model, as they hold in this vault. Raises ModelNotFound."""
        model = judge_key(self.models, role)
        return vault_calibration(self.database, model, calibration_of(model, self.config.models))

    @property
    def probing(self) -> VaultProbing:
        """What asks this vault's own questions of its index and its answering model. Raises ModelNotFound."""
        model = judge_key(self.models)
        return VaultProbing(
            database=self.database,
            search=lambda text, k, lanes: self._find(ParsedQuery(text, ()), k, Reach.FULL, lanes),
            embedder=self._embedder_or_none(),
            model=self.models.chat(Role.ANSWER),
            model_key=model,
            known=calibration_of(model, self.config.models),
            keep=lambda rows: self._keep_probes(model, rows),
        )

    def list_notes(self, question: str, today: date, scope: Sequence[Filter] = ()) -> Listing | None:
        """Return what the catalogue lists for a question about the vault itself; None for a question of content.

        No model is asked. Raises IndexMissing before the first run.
        """
        self._require_notes()
        listing = answer_from_catalogue(question, self._vocabulary, today, scope)
        is_whole = was_read_whole(self.database) and not Catalog(self.database).owed_readings()
        return listing if listing is None or is_whole else replace(listing, sure=False)

    @property
    def archive(self) -> Archive:
        """The answers, chats and verdicts that the user keeps."""
        return Archive(self.config, self.database)

    @property
    def findings(self) -> ClaimFindings:
        """Where the notes disagree, and what the user decided about it."""
        return ClaimFindings(self.config, self.database, self.vectors, self.models)

    @property
    def forgetting(self) -> Forgetting:
        """What takes every trace of notes out of the home."""
        return Forgetting(self.config, self.database, self._quiet, self._reread, self._let_go)

    @property
    def upkeep(self) -> Upkeep:
        """What looks for faults in the index, and mends them."""
        return Upkeep(self.config, self.database, self.vectors, self._updater, self._recipe, self.index)

    def read_note(self, path: str) -> ReadNote:
        """Read one indexed note as its file says it now. Raises VaultError when it cannot be read."""
        stored = Catalog(self.database).stored_file(path)
        if stored is None:
            raise VaultError(f"{path} is not in the index.", "Run: vaultrag index")
        return read_and_cut(self.config.vault, stored.stat, self.config.settings.vault.max_note_bytes, self._recipe())

    def status(self) -> IndexStatus:
        """Count what is indexed, and say what keeps the index from following."""
        return replace(read_status(self.config, self.database), attention=self.health.attention())

    def warm(self) -> None:
        """Begin to load embedder, vector index and model in the background; faults show when they are used."""
        self.health.load(Role.EMBED, self.warm_embedder)
        self.health.load(Role.ANSWER, self.models.warm_answer)

    def warm_embedder(self) -> None:
        """Load the embedder and the vector index, and wait for them."""
        self.vectors.warm()

    def publish(self, port: int) -> None:
        """Have those who meet the owner's lock told where it answers."""
        self._lock.publish(port)

    def close(self) -> None:
        """End every child process, close the index and give the lock back."""
        self.vectors.stop()
        self.models.close()
        self.vectors.close()
        self.database.close()
        self._lock.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Nothing is written or embedded inside; an embedding under way ends with its batch, and is taken up after."""
        with self.vectors.hushed(), self._updater.paused():
            yield

    def _reread(self) -> None:
        """Bring words and links up to the vault, in a quiet that is ours."""
        diff = diff_vault(self.config, Catalog(self.database), self._recipe())
        apply_changes(self.config, self.database, diff, self._recipe(), unwatched)

    def _let_go(self) -> None:
        """End whatever has a file of the home open that is about to be removed."""
        self.models.let_go_of_prompts()
        self.vectors.let_go()

    def _bring_records_up(self) -> None:
        """Take over what a kill left in the journal alone; a journal that cannot be read is `check`'s to tell."""
        with contextlib.suppress(StoreError):
            self.archive.book.catch_up()
            self.archive.follow_moves()
            JobQueue(self.config, self.database).adopt()

    def _keep_probes(self, model: str, rows: Sequence[ProbeRow]) -> None:
        if self._access is Ownership.OWN:
            write_probes(self.database, model, WORDING, rows)
            return
        with open_for_records(self.config) as database:
            write_probes(database, model, WORDING, rows)

    def _recipe(self) -> Recipe:
        section = self.config.settings.index
        count, tokenizer = self.models.token_counter()
        periodic = periodic_notes(self.config.vault)
        return Recipe(count, tokenizer, section.chunk_tokens, section.chunk_tokens_max, periodic)

    def _embedder_or_none(self) -> Embedder | None:
        return self.vectors.embedder()[0]

    def _require_notes(self) -> None:
        if Catalog(self.database).has_notes():
            return
        if was_read_whole(self.database):
            raise VaultError(
                f"{self.config.vault} holds no note that can be read.",
                "Name the folder that holds your notes: --vault DIR; `vaultrag doctor` tells what was found.",
            )
        raise IndexMissing(
            f"Nothing of {self.config.vault} is indexed yet.",
            "Ask again in a moment: a server reads it just now." if self._updater.busy else "Run: vaultrag index",
        )


_DATABASE_ACCESS = {Ownership.READ: db.Access.READ, Ownership.OWN: db.Access.WRITE}


def _today() -> date:
    return datetime.now().astimezone().date()  # the user's own
