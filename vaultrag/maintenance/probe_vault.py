"""`vaultrag bench`: questions made from this vault, asked of its own index and model. Only figures are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from vaultrag.answering.evidence.quotes import Evidence
from vaultrag.answering.judging.calibration import UNCALIBRATED, WORDING, Calibration
from vaultrag.answering.judging.probes import Probe, ProbeKind, Seed, coined_probe, known_probe, seeds, untold_probe
from vaultrag.answering.judging.sureness import judge_answerability
from vaultrag.domain import ChatModel, Embedder, Passage, Priority, Progress, SearchResult
from vaultrag.maintenance.probe_results import NO_QUESTION, STAGES, VaultBench, concluded
from vaultrag.retrieval.search import ALL_LANES
from vaultrag.store.database import Database
from vaultrag.store.notes.catalog import Catalog
from vaultrag.store.notes.keywords import is_held
from vaultrag.store.notes.lookups import rows_of_anywhere, rows_of_note_with
from vaultrag.store.probes import ProbeRow, read_probes
from vaultrag.text.language import stems
from vaultrag.text.morphology import count_terms
from vaultrag.text.terms import index_terms, question_terms

PROBES = 40  # of each kind, in ten to twenty minutes on two cores
QUICK = 12  # the same, where a first impression will do
SEEDS_PER_PROBE = 4  # sentences looked at for each question: many give none that can be asked
DEPTH = 8  # passages searched for, as many as an answer considers
Search = Callable[[str, int, Set[str]], SearchResult]
"""Searches the vault for k passages by these lanes; the text is no query with filters."""


@dataclass(frozen=True, slots=True)
class VaultProbing:
    """Asks a vault's own questions of its index and one model; `model_key` tells the model.

    What is learned is kept by `keep` on the way, so that a run that was ended goes on from there.
    """

    database: Database
    search: Search
    embedder: Embedder | None
    model: ChatModel
    model_key: str
    known: Calibration
    keep: Callable[[Sequence[ProbeRow]], None]

    def run(self, count: int, progress: Progress) -> VaultBench:
        """Ask `count` questions with a known place, and as many without an answer.

        What was asked before, and stopped, is not asked again. Raises ModelError.
        """
        rows = {(row.key, row.kind): row for row in read_probes(self.database, self.model_key, WORDING)}
        done: list[ProbeRow] = []
        for seed in self._seeds(count * SEEDS_PER_PROBE):
            if sum(row.kind == ProbeKind.KNOWN for row in done) >= count:
                break
            progress("probes", sum(row.kind == ProbeKind.KNOWN for row in done), count)
            done += self._asked(seed, rows)
            self.keep([*done, *_not_in(rows.values(), done)])
        progress("probes", count, count)
        return concluded(done, self.known)

    def _seeds(self, count: int) -> list[Seed]:
        stored = Catalog(self.database).chunks_by_row_ids(rows_of_anywhere(self.database, count)).values()
        return seeds([(one.title, one.chunk) for one in stored], count)

    def _asked(self, seed: Seed, earlier: Mapping[tuple[str, str], ProbeRow]) -> list[ProbeRow]:
        """Return what became of a seed's questions, asked unless it is known; one row says that there are none."""
        known = [row for (key, _), row in earlier.items() if key == seed.key]
        if known:
            return known
        probe = known_probe(seed, self.model)
        if probe is None:
            return [ProbeRow(seed.key, NO_QUESTION, seed.language, None, cited=False)]
        without = self._without_answer(seed, probe)
        return [self._ask(seed, one) for one in (probe, *([without] if without else []))]

    def _without_answer(self, seed: Seed, known: Probe) -> Probe | None:
        """Return one of the two kinds in turns, and the other where that one cannot be made."""
        makers: list[Callable[[], Probe | None]] = [
            lambda: coined_probe(seed, known, lambda stem: is_held(self.database, stem)),
            lambda: untold_probe(seed, self._said(seed)),
        ]
        if int(seed.key, 16) % 2:
            makers.reverse()
        return makers[0]() or makers[1]()

    def _said(self, seed: Seed) -> frozenset[str]:
        """Return the stems of all that the seed's note says."""
        rows = rows_of_note_with(self.database, seed.chunk_id)
        stored = Catalog(self.database).chunks_by_row_ids(rows).values()
        return frozenset(stem for one in stored for stem in stems(one.chunk.text))

    def _ask(self, seed: Seed, probe: Probe) -> ProbeRow:
        found = self.search(probe.question, DEPTH, ALL_LANES).passages
        evidence = Evidence(probe.question, found, self.embedder)
        judged = judge_answerability(
            probe.question, evidence.excerpts(), self.model, UNCALIBRATED, priority=Priority.NIGHT
        )
        quoted = [found[quote.passage] for quote in evidence.quotes(evidence.judged(judged.scores))]
        return ProbeRow(
            key=seed.key,
            kind=probe.kind,
            language=seed.language,
            score=max(judged.scores, default=None),
            cited=probe.answerable and _place_of(probe, quoted) > 0,
            ranks=self._ranks(probe) if probe.answerable else (),
            shared=shared_words(probe.question, seed.sentence) if probe.answerable else 0.0,
        )

    def _ranks(self, probe: Probe) -> tuple[int, ...]:
        """Return where each way of searching has the known place; 0 where it has not."""
        found = (self.search(probe.question, DEPTH, lanes).passages for lanes in STAGES.values())
        return tuple(_place_of(probe, passages) for passages in found)


def _place_of(probe: Probe, passages: Sequence[Passage]) -> int:
    """Return which of these passages, from 1, is the known one or says the same words elsewhere; 0 where none does."""
    same = ({one.chunk.id, *(other.chunk.id for other in one.also)} for one in passages)
    return next((rank for rank, ids in enumerate(same, 1) if probe.chunk_id in ids), 0)


def shared_words(question: str, sentence: str) -> float:
    """Return the share of a question's words that stand in a sentence."""
    asked = question_terms(question)
    return count_terms(asked, index_terms(sentence)) / len(asked) if asked else 0.0


def _not_in(rows: Iterable[ProbeRow], others: Sequence[ProbeRow]) -> list[ProbeRow]:
    known = {(row.key, row.kind) for row in others}
    return [row for row in rows if (row.key, row.kind) not in known]
