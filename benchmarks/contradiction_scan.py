"""Contradictions in a whole vault: what is shown of those that are known, what beside them, and where the rest is lost.

usage: scripts/bench contradiction_scan [--half tune|test|both] [--sources A,B] [--judge NAME] [--veto] [--words]
[--list]

Reads fixtures/vault with fixtures/contradictions.toml and the three renderings of its notes (fixtures/renderings/),
each half apart and pooled. What is shown beside the list counts as it was read by hand (contradictions_read.toml).
`--veto` has the chat model take back what follows, `--words` looks without an embedder, and `--list` prints what is
shown beside the known ones and was not read yet, of the half that is asked for: the notes are the fixture's own.
"""

from __future__ import annotations

import argparse
import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from benchmarks.datasets import REPOSITORY, work_folder
from benchmarks.products import config_for
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, share, write_report
from vaultrag.answering.judging.calibration import PairLines
from vaultrag.answering.judging.calibration_files import pair_lines_of
from vaultrag.contradictions.claims.extract import claims_of_chunk
from vaultrag.contradictions.copies import without_copies
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.questions import QuestionJudge
from vaultrag.contradictions.scan import PairFinding, PairScan, scan
from vaultrag.domain import Claim, FindingKind, PairVerdict
from vaultrag.runtime.cross_encoder.judge import CrossEncoderJudge, open_judge_named
from vaultrag.runtime.pool import ModelPool
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.features import with_features
from vaultrag.vault.files import read_note, scan_vault
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note

FIXTURES = REPOSITORY / "fixtures"
READ = REPOSITORY / "benchmarks" / "contradictions_read.toml"
LONGEST_NOTE = 10_000_000
CHUNK, CHUNK_LIMIT = 256, 480  # tokens, of four characters each: claims hardly depend on them
MUST_FIND, MUST_NOT, EITHER = "must_find", "must_not", "either"
HALVES = ("tune", "test")
MEASURED_KINDS = frozenset({"number", "date", "unit", "negation"})
SOURCES = {
    "vault": (FIXTURES / "vault", FIXTURES / "contradictions.toml"),
    **{
        name: (FIXTURES / "renderings" / name, FIXTURES / "renderings" / f"{name}.toml")
        for name in ("renamed", "dates-shifted", "paraphrased")
    },
}


BLIND = {"blind": (FIXTURES / "histories-blind" / "vault", FIXTURES / "contradictions-blind.toml")}
"""Another person's vault, by somebody who had read none of the rules; its pairs are all of the test half."""


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A pair of the list, by what it asks for, and the claims of the vault that either side is."""

    asked: str
    split: str
    kind: str
    langs: str
    one: frozenset[str]
    other: frozenset[str]

    @property
    def is_across(self) -> bool:
        return len(set(self.langs.split("-"))) > 1

    def is_found_by(self, finding: PairFinding) -> bool:
        return self.is_of(finding.one.key, finding.other.key)

    def is_of(self, one: str, other: str) -> bool:
        return any(a in self.one and b in self.other for a, b in ((one, other), (other, one)))


class NotesOfFixture:
    """Notes of the fixture, their claims, and where each stands."""

    def __init__(self, vault: Path, known: Path) -> None:
        self._known = known
        self.texts: dict[str, str] = {}
        claims: dict[str, Claim] = {}
        for stat in scan_vault(vault, [], (".md",)).notes:
            text = read_note(vault, stat, LONGEST_NOTE)
            note = parse_note(stat.path, text)
            self.texts[stat.path] = text
            for chunk in with_features(note, chunk_note(note, lambda words: len(words) // 4, CHUNK, CHUNK_LIMIT)):
                claims.update((claim.key, claim) for claim in claims_of_chunk(chunk, note.title).claims)
        self.claims = list(claims.values())
        self._lines = {path: Lines(text) for path, text in self.texts.items()}

    def text_at(self, claim: Claim) -> str:
        start, end = self._lines[claim.path].offsets(claim.span)
        return self.texts[claim.path][start:end]

    def known(self) -> list[KnownPair]:
        listed = tomllib.loads(self._known.read_text(encoding="utf-8"))
        return [
            KnownPair(
                asked, row.get("split", ""), row.get("kind", ""), row["langs"], self._of(row["a"]), self._of(row["b"])
            )
            for asked in (MUST_FIND, MUST_NOT, EITHER)
            for row in listed[asked]
        ]

    def _of(self, side: Mapping[str, Any]) -> frozenset[str]:
        """Return the claims whose quote overlaps one of the list."""
        start = self.texts[side["path"]].find(side["quote"])
        end = start + len(side["quote"])
        return frozenset(
            claim.key for claim in self.claims if claim.path == side["path"] and self._overlaps(claim, start, end)
        )

    def _overlaps(self, claim: Claim, start: int, end: int) -> bool:
        first, last = self._lines[claim.path].offsets(claim.span)
        return first < end and start < last


class Reading:
    """What was read by hand of what is shown beside the list: right or wrong, by both quotes."""

    def __init__(self) -> None:
        rows = tomllib.loads(READ.read_text(encoding="utf-8")).get("read", []) if READ.exists() else []
        self._right = {frozenset((row["a"], row["b"])): bool(row["right"]) for row in rows}

    def of(self, finding: PairFinding) -> bool | None:
        return self._right.get(frozenset((finding.one.quote, finding.other.quote)))


class Look:
    """One look over one source: what it shows of a half, of which the other half's pairs are left out."""

    def __init__(self, name: str, looked: PairScan, known: Sequence[KnownPair], seconds: float) -> None:
        self.name, self.looked, self.seconds = name, looked, seconds
        self.known = known
        self.shown = without_copies(looked.found)

    def pairs(self, asked: str, half: str) -> list[KnownPair]:
        return [pair for pair in self.known if pair.asked == asked and pair.split == half]

    def of_kind(self, kind: FindingKind) -> list[PairFinding]:
        return [finding for finding in self.shown if finding.kind is kind]

    def found(self, pairs: Sequence[KnownPair], *kinds: FindingKind) -> int:
        findings = [finding for kind in kinds or (FindingKind.CONTRADICTION,) for finding in self.of_kind(kind)]
        return sum(any(pair.is_found_by(finding) for finding in findings) for pair in pairs)

    def counted(self, half: str, kind: FindingKind = FindingKind.CONTRADICTION) -> list[PairFinding]:
        """Return what counts as shown of a half: no pair of the other half, and none that may be shown or not."""
        others = [pair for pair in self.known if pair.split != half]
        return [one for one in self.of_kind(kind) if not any(pair.is_found_by(one) for pair in others)]

    def listed(self, half: str) -> list[PairFinding]:
        wanted = self.pairs(MUST_FIND, half)
        return [one for one in self.counted(half) if any(pair.is_found_by(one) for pair in wanted)]

    def beside(self, half: str, kind: FindingKind = FindingKind.CONTRADICTION) -> list[PairFinding]:
        wanted = self.pairs(MUST_FIND, half)
        return [one for one in self.counted(half, kind) if not any(pair.is_found_by(one) for pair in wanted)]

    def lost(self, half: str) -> Iterator[tuple[KnownPair, str]]:
        for pair in self.pairs(MUST_FIND, half):
            if not self.found([pair]):
                yield pair, self._stage(pair)

    def _stage(self, pair: KnownPair) -> str:
        """Name the stage that lost a pair, by what came nearest to showing it."""
        if not pair.one or not pair.other:
            return "extraction"
        if self.found([pair], FindingKind.SUPERSEDED):
            return "shown as superseded"
        for finding in self.looked.removed:
            if finding.removal and pair.is_found_by(finding):
                return f"gate: {finding.removal.gate.value}"
        met = [told for keys, told in self.looked.told.items() if pair.is_of(*keys)]
        if not met:
            return "pairing"
        told = max(met, key=lambda told: told.verdict is not PairVerdict.INSUFFICIENT)
        return f"comparing: {told.verdict.value} ({told.reason.ground.value})"


def main() -> int:
    options = _options()
    judge = _judge(options.judge) if options.judge else None
    vectors = None if options.words else Vectors()
    reading = Reading()
    chat = RememberedModel.of() if options.veto else None
    judges = Judges(judge, _veto(chat) if chat else None)
    looks = [_look(name, judges, vectors) for name in options.sources.split(",")]
    halves = HALVES if options.half == "both" else (options.half,)
    figures = [figure for half in halves for figure in _figures(looks, half, reading)]
    details = {
        "judge": judge.fingerprint if judge else "",
        "seconds": {look.name: round(look.seconds) for look in looks},
        "pairs by verdict": {
            look.name: {verdict.value: count for verdict, count in look.looked.verdicts.items()} for look in looks
        },
        "not judged": sum(look.looked.not_judged for look in looks),
        "removed by gates": dict(
            Counter(one.removal.gate.value for look in looks for one in look.looked.removed if one.removal)
        ),
        "asked": {look.name: {name: len(said) for name, said in look.looked.judged.items()} for look in looks},
        "seconds of the chat model": round(chat.seconds, 1) if chat else 0.0,
        "lost at": {half: dict(_losses(looks, half)) for half in halves},
        "lost": {half: [_row(*row) for row in _lost(looks, half)] for half in halves},
    }
    for model in (judge, chat):
        if model is not None:
            model.close()
    if options.list:
        _list(looks, halves, reading)
    name = "-".join(
        (
            "contradiction_scan",
            options.half,
            *(["words"] if options.words else []),
            *(["veto"] if options.veto else []),
            *([] if len(looks) == len(SOURCES) else [look.name for look in looks]),
            Path(options.judge).stem or "code",
        )
    )
    title = "Contradictions in the fixture vault and three renderings of it"
    if options.sources in BLIND:
        title = "Contradictions in a vault that the rules were not made with"
    write_report(name, title, figures, NOTES, details)
    return 0


NOTES = (
    "Of each half's figures, pairs of the other half and pairs that may be shown or not are left out. Right is what is "
    "on the list, and what was read by hand beside it and found right; what was not read counts as wrong.",
    "Pooled over the fixture vault and three renderings of the listed notes: one pair is asked for four times, so the "
    "intervals are narrower than four independent vaults would give.",
    "Assistants' pairs, superseded and possible ones are counted apart.",
)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="tune")
    parser.add_argument(
        "--sources", default=",".join(SOURCES), help="of vault, renamed, dates-shifted, paraphrased, blind"
    )
    parser.add_argument("--judge", default="", help="a judge of the catalogue, or a weights file")
    parser.add_argument("--veto", action="store_true", help="the chat model takes back what follows")
    parser.add_argument("--words", action="store_true", help="no embedder")
    parser.add_argument("--list", action="store_true", help="print what is shown beside the list and was not read")
    return parser.parse_args()


def _judge(name: str) -> CrossEncoderJudge:
    return open_judge_named(name, config_for(work_folder(), "no vault"))


def _veto(chat: RememberedModel) -> QuestionJudge:
    lines = pair_lines_of(chat.fingerprint, chat.models_dir)
    return QuestionJudge(chat, PairLines(follows=lines.follows), chat.fingerprint)


class Vectors:
    """Vectors of statements, kept between runs: most statements of a rendering are the fixture's."""

    def __init__(self) -> None:
        self._embedder = ModelPool.of(config_for(work_folder(), "no vault")).embedder()
        name = hashlib.sha256(self._embedder.fingerprint.encode()).hexdigest()[:16]
        self._path = work_folder() / f"claim-vectors-{name}.npz"
        self._known: dict[str, np.ndarray] = {}
        if self._path.exists():
            with np.load(self._path) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def of(self, claims: Sequence[Claim]) -> np.ndarray:
        keys = [hashlib.sha256(claim.statement.encode()).hexdigest() for claim in claims]
        wanted = {key: claim.statement for key, claim in zip(keys, claims, strict=True) if key not in self._known}
        if wanted:
            made = np.asarray(self._embedder.embed_passages(list(wanted.values())), np.float32)
            self._known.update(zip(wanted, made, strict=True))
            np.savez(self._path, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        return np.stack([self._known[key] for key in keys])


def _look(name: str, judges: Judges, vectors: Vectors | None) -> Look:
    notes = NotesOfFixture(*(SOURCES | BLIND)[name])
    made = vectors.of(notes.claims) if vectors else None
    started = monotonic()
    looked = scan(notes.claims, {claim.key for claim in notes.claims}, notes.text_at, judges, made)
    return Look(name, looked, notes.known(), monotonic() - started)


def _figures(looks: Sequence[Look], half: str, reading: Reading) -> Iterator[Figure]:
    groups = [*([look] for look in looks), looks] if len(looks) > 1 else [looks]
    for group in groups:
        name = f"{half}, {group[0].name if len(group) == 1 else 'pooled'}"
        yield from _of_group(name, group, half, reading)
    yield from _by_kind(f"{half}, pooled" if len(looks) > 1 else f"{half}, {looks[0].name}", looks, half)


def _of_group(name: str, group: Sequence[Look], half: str, reading: Reading) -> Iterator[Figure]:
    wanted = [(look, pair) for look in group for pair in look.pairs(MUST_FIND, half)]
    yield _found_share(f"{name}: found", wanted)
    yield _found_share(f"{name}: found, Russian–English", [row for row in wanted if row[1].is_across])
    measured = [row for row in wanted if row[1].kind in MEASURED_KINDS]
    yield _found_share(f"{name}: found, number, date, unit or negation", measured)
    shown = [one for look in group for one in look.counted(half)]
    listed = [one for look in group for one in look.listed(half)]
    right = sum(bool(reading.of(one)) for look in group for one in look.beside(half))
    yield share(f"{name}: shown and right", len(listed) + right, max(1, len(shown)))
    yield share(f"{name}: shown and on the list", len(listed), max(1, len(shown)))
    forbidden = [(look, pair) for look in group for pair in look.pairs(MUST_NOT, half)]
    yield _found_share(f"{name}: must-not pairs shown", forbidden)
    for kind in (FindingKind.SUPERSEDED, FindingKind.POSSIBLE):
        others = [one for look in group for one in look.counted(half, kind)]
        told = sum(
            reading.of(one) is True or any(pair.is_found_by(one) for pair in look.pairs(MUST_FIND, half))
            for look in group
            for one in look.counted(half, kind)
        )
        if others:
            yield share(f"{name}: {kind.value}, right", told, len(others))


def _by_kind(name: str, looks: Sequence[Look], half: str) -> Iterator[Figure]:
    wanted = [(look, pair) for look in looks for pair in look.pairs(MUST_FIND, half)]
    for kind in sorted({pair.kind for _, pair in wanted}):
        yield _found_share(f"{name}: found, {kind}", [row for row in wanted if row[1].kind == kind])


def _found_share(name: str, rows: Sequence[tuple[Look, KnownPair]]) -> Figure:
    return share(name, sum(look.found([pair]) for look, pair in rows), max(1, len(rows)))


def _lost(looks: Sequence[Look], half: str) -> Iterator[tuple[str, KnownPair, str]]:
    return ((look.name, pair, stage) for look in looks for pair, stage in look.lost(half))


def _losses(looks: Sequence[Look], half: str) -> Counter[str]:
    return Counter(stage for _, _, stage in _lost(looks, half))


def _row(source: str, pair: KnownPair, stage: str) -> str:
    return f"{source}: {pair.kind}, {pair.langs}: {stage}"


def _list(looks: Sequence[Look], halves: Sequence[str], reading: Reading) -> None:
    """Print what was not read yet; of the half that is not asked for nothing is on the list, so nothing is printed."""
    told: set[frozenset[str]] = set()
    for look in looks:
        for half in halves:
            for kind in (FindingKind.CONTRADICTION, FindingKind.SUPERSEDED, FindingKind.POSSIBLE):
                for finding in look.beside(half, kind):
                    quotes = frozenset((finding.one.quote, finding.other.quote))
                    if reading.of(finding) is None and quotes not in told:
                        told.add(quotes)
                        _print(look.name, kind, finding)


def _print(name: str, kind: FindingKind, finding: PairFinding) -> None:
    print(f"# {name} {kind.value} {finding.told.confidence:.2f} {finding.told.reason.said('en')}")
    for claim in (finding.one, finding.other):
        print(f"#   {claim.path}: {claim.quote!r}")


if __name__ == "__main__":
    raise SystemExit(main())
