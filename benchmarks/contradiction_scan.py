"""Contradictions in a whole vault: what is shown of those that are known, what beside them, and where the rest is lost.

usage: scripts/bench contradiction_scan [--half tune|test] [--judge NAME] [--veto] [--words] [--list]

Reads fixtures/vault with fixtures/contradictions.toml. `--veto` has the chat model take back what follows, `--words`
looks without an embedder, `--list` prints what is shown beside the known ones, to be read by hand: the notes are the
fixture's own.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets import REPOSITORY, work_folder
from benchmarks.products import config_for
from benchmarks.remembered import RememberedModel
from benchmarks.report import Figure, share, write_report
from vaultrag.answering.judging.calibration import PairLines
from vaultrag.answering.judging.calibration_files import pair_lines_of
from vaultrag.contradictions.claims.extract import claims_of_chunk
from vaultrag.contradictions.hearing import Judges
from vaultrag.contradictions.questions import QuestionJudge
from vaultrag.contradictions.scan import PairFinding, PairScan, scan
from vaultrag.domain import Claim, Holder, PairVerdict
from vaultrag.runtime.cross_encoder.judge import CrossEncoderJudge, open_judge_named
from vaultrag.runtime.pool import ModelPool
from vaultrag.vault.chunk import chunk_note
from vaultrag.vault.features import with_features
from vaultrag.vault.files import read_note, scan_vault
from vaultrag.vault.parsing.lines import Lines
from vaultrag.vault.parsing.parse import parse_note

VAULT = REPOSITORY / "fixtures" / "vault"
KNOWN = REPOSITORY / "fixtures" / "contradictions.toml"
LONGEST_NOTE = 10_000_000
CHUNK, CHUNK_LIMIT = 256, 480  # tokens, of four characters each: claims hardly depend on them
MUST_FIND, MUST_NOT = "must_find", "must_not"


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A pair of the list, by what it asks for, and the claims of the vault that either side is."""

    asked: str
    split: str
    langs: str
    one: frozenset[str]
    other: frozenset[str]

    def is_found_by(self, finding: PairFinding) -> bool:
        keys = finding.one.key, finding.other.key
        return any(a in self.one and b in self.other for a, b in (keys, keys[::-1]))


class FixtureVault:
    """The fixture's notes, their claims, and where each stands."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        claims: dict[str, Claim] = {}
        for stat in scan_vault(VAULT, [], (".md",)).notes:
            text = read_note(VAULT, stat, LONGEST_NOTE)
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
        listed = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
        return [
            KnownPair(asked, row.get("split", ""), row["langs"], self._of(row["a"]), self._of(row["b"]))
            for asked in (MUST_FIND, MUST_NOT, "either")
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


def main() -> int:
    options = _options()
    vault = FixtureVault()
    judge = _judge(options.judge) if options.judge else None
    vectors = None if options.words else _vectors(vault.claims)
    chat = RememberedModel.of() if options.veto else None
    judges = Judges(judge, _veto(chat) if chat else None)
    looked = scan(vault.claims, {claim.key for claim in vault.claims}, vault.text_at, judges, vectors)
    known = vault.known()
    figures = [*_figures(looked, known, options.half)]
    details = {
        "half": options.half,
        "judge": judge.fingerprint if judge else "",
        "claims": len(vault.claims),
        "pairs by verdict": {verdict.value: count for verdict, count in looked.verdicts.items()},
        "not judged": looked.not_judged,
        "removed by gates": dict(Counter(one.removal.gate.value for one in looked.removed if one.removal)),
        "asked": {name: len(said) for name, said in looked.judged.items()},
        "seconds of the chat model": round(chat.seconds, 1) if chat else 0.0,
        "lost at": dict(_losses(looked, known, options.half)),
    }
    for model in (judge, chat):
        if model is not None:
            model.close()
    if options.list:
        _list(looked, known)
    name = "-".join(
        (
            *("contradiction_scan", options.half),
            *(["words"] if options.words else []),
            *(["veto"] if options.veto else []),
            Path(options.judge).stem or "code",
        )
    )
    write_report(name, "Contradictions in the fixture vault", figures, NOTES, details)
    return 0


NOTES = (
    "Shown and right counts a finding as right where it is one of the list; those beside the list are counted as wrong "
    "here, and read by hand for the decision. Assistants' pairs, superseded and possible ones are counted apart.",
)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("tune", "test"), default="tune")
    parser.add_argument("--judge", default="", help="a judge of the catalogue, or a weights file")
    parser.add_argument("--veto", action="store_true", help="the chat model takes back what follows")
    parser.add_argument("--words", action="store_true", help="no embedder")
    parser.add_argument("--list", action="store_true", help="print what is shown beside the list")
    return parser.parse_args()


def _judge(name: str) -> CrossEncoderJudge:
    return open_judge_named(name, config_for(work_folder(), "no vault"))


def _veto(chat: RememberedModel) -> QuestionJudge:
    lines = pair_lines_of(chat.fingerprint, chat.models_dir)
    return QuestionJudge(chat, PairLines(follows=lines.follows), chat.fingerprint)


def _vectors(claims: Sequence[Claim]) -> np.ndarray:
    pool = ModelPool.of(config_for(work_folder(), "no vault"))
    embedder = pool.embedder()
    return np.asarray(embedder.embed_passages([claim.statement for claim in claims]), np.float32)


def _figures(looked: PairScan, known: Sequence[KnownPair], half: str) -> Iterator[Figure]:
    wanted = [pair for pair in known if pair.asked == MUST_FIND and pair.split == half]
    forbidden = [pair for pair in known if pair.asked == MUST_NOT and pair.split == half]
    shown = [finding for finding in looked.found if _is_users(finding) and not finding.told.possible]
    possible = [finding for finding in looked.found if _is_users(finding) and finding.told.possible]
    other_half = [pair for pair in known if pair.split not in (half, "")] + [p for p in known if p.asked == "either"]
    counted = [one for one in shown if not any(pair.is_found_by(one) for pair in other_half)]
    yield share("found", _found(wanted, shown), len(wanted))
    yield share("found, Russian–English", _found(_across(wanted), shown), len(_across(wanted)))
    yield share("found, or possible", _found(wanted, (*shown, *possible)), len(wanted))
    yield share("must-not pairs shown", _found(forbidden, shown), len(forbidden))
    right = sum(any(pair.is_found_by(one) for pair in wanted) for one in counted)
    yield share("shown and on the list", right, max(1, len(counted)))


def _across(pairs: Sequence[KnownPair]) -> list[KnownPair]:
    return [pair for pair in pairs if len(set(pair.langs.split("-"))) > 1]


def _found(pairs: Sequence[KnownPair], findings: Sequence[PairFinding]) -> int:
    return sum(any(pair.is_found_by(finding) for finding in findings) for pair in pairs)


def _is_users(finding: PairFinding) -> bool:
    return finding.told.verdict is PairVerdict.CONTRADICTION and finding.one.holder is not Holder.ASSISTANT


def _losses(looked: PairScan, known: Sequence[KnownPair], half: str) -> Counter[str]:
    """Count by the stage that lost them the pairs that are not shown."""
    lost: Counter[str] = Counter()
    for pair in known:
        if pair.asked != MUST_FIND or pair.split != half or _found([pair], [*filter(_is_users, looked.found)]):
            continue
        lost[_stage(looked, pair)] += 1
    return lost


def _stage(looked: PairScan, pair: KnownPair) -> str:
    if not pair.one or not pair.other:
        return "extraction"
    for finding in looked.removed:
        if finding.removal and pair.is_found_by(finding):
            return f"gate: {finding.removal.gate.value}"
    met = [told for keys, told in looked.told.items() if _is_of(pair, keys)]
    return f"verdict: {met[0].verdict.value} ({met[0].reason.ground.value})" if met else "pairing"


def _is_of(pair: KnownPair, keys: tuple[str, str]) -> bool:
    return any(a in pair.one and b in pair.other for a, b in (keys, keys[::-1]))


def _list(looked: PairScan, known: Sequence[KnownPair]) -> None:
    for finding in filter(_is_users, looked.found):
        if any(pair.is_found_by(finding) for pair in known):
            continue
        print(f"{finding.told.confidence:.2f} {'possible ' * finding.told.possible}{finding.told.reason.said('en')}")
        for claim in (finding.one, finding.other):
            print(f"    {claim.path}: {claim.quote}")


if __name__ == "__main__":
    raise SystemExit(main())
