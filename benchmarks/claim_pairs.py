"""Pairs of claims whose truth is known: hand-written ones, and pairs made of others' data. Read where they lie."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, zip_longest
from typing import Any

from benchmarks.answerability import JUDGED, digest
from benchmarks.datasets import REPOSITORY, data_folder
from vaultrag.text.terms import index_terms

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZА-ЯЁ«\"(\[0-9])")
LANGUAGE_PAIRS = (("en", "en"), ("ru", "ru"), ("en", "ru"), ("ru", "en"))
RESTATEMENT = "restatement"
LONGEST_SENTENCE = 260  # characters: a line of a note, not a passage


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """Two claims, whether they contradict each other, and what kind of pair it is."""

    first: str
    second: str
    contradicts: bool
    kind: str
    langs: str
    follows: bool = False


def hidden() -> list[ClaimPair]:
    """Return the hand-written pairs of the fixture, each claim with its note's date and title where they are given."""
    rows = tomllib.loads((REPOSITORY / "fixtures" / "judge-pairs.toml").read_text(encoding="utf-8"))["pair"]
    return [
        ClaimPair(_told(row, "a"), _told(row, "b"), row["label"] == "contradiction", row["kind"], row["langs"])
        for row in rows
    ]


def _told(row: dict[str, str], side: str) -> str:
    date, title = row.get(f"date_{side}", ""), row.get(f"title_{side}", "")
    return f"({date}) " * bool(date) + f"{title}: " * bool(title) + row[side]


def development() -> list[ClaimPair]:
    """Return the hand-written pairs that the threshold is drawn on."""
    tables = tomllib.loads((JUDGED / "claims.toml").read_text(encoding="utf-8"))
    return [
        ClaimPair(a, b, name == "contradictions", RESTATEMENT if kind == "same" else kind, "")
        for name, rows in tables.items()
        for a, b, kind in rows
    ]


def numswap(count: int) -> list[ClaimPair]:
    """Return `count` pairs of each kind and language pair: a sentence of a held paragraph against a question's answer.

    The answer is the paragraph's own, another number (easy), another of its numbers (hard), or given for a sentence
    that does not speak of it (other).
    """
    rows = [json.loads(line) for line in (data_folder() / "numswap" / "pairs.jsonl").open(encoding="utf-8")]
    held = {_key(text) for lang in ("en", "ru") for text in _held_paragraphs(lang).values()}
    rows = sorted((row for row in rows if _key(row["note_a"]) in held), key=lambda row: digest(row["id"]))
    found: list[ClaimPair] = []
    for lang_a, lang_b in LANGUAGE_PAIRS:
        ours = [row for row in rows if (row["lang_a"], row["lang_b"]) == (lang_a, lang_b)]
        for kind in ("consistent", "contradiction_easy", "contradiction_hard"):
            pairs = [_swapped(row, f"{lang_a}-{lang_b}") for row in ours if row["kind"] == kind]
            found += [pair for pair in pairs if pair is not None][:count]
        others = [_elsewhere(row, f"{lang_a}-{lang_b}") for row in ours if row["kind"] == "contradiction_easy"]
        found += [pair for pair in others if pair is not None][:count]
    return found


def _swapped(row: dict[str, str], langs: str) -> ClaimPair | None:
    said = [sentence for sentence in _sentences(row["note_a"]) if row["true"] in sentence]
    if len(said) != 1:
        return None  # a number that stands twice has no sentence of its own
    consistent = row["kind"] == "consistent"
    return ClaimPair(said[0], row["note_b"], not consistent, row["kind"], langs, consistent)


def _elsewhere(row: dict[str, str], langs: str) -> ClaimPair | None:
    others = [each for each in _sentences(row["note_a"]) if row["true"] not in each and any(map(str.isdigit, each))]
    return ClaimPair(others[0], row["note_b"], False, "other", langs) if others else None


def scifact(count: int) -> list[ClaimPair]:
    """Return claims of SciFact with the sentences that support or contradict them, or with one that does neither."""
    abstracts = {row["_id"]: row["text"] for row in _rows("scifact", "corpus.jsonl")}
    claims = sorted(_rows("scifact", "claims_dev.jsonl"), key=lambda row: digest(row["text"]))
    found: dict[str, list[ClaimPair]] = {"SUPPORT": [], "CONTRADICT": [], "neither": []}
    for claim in claims:
        if claim["evidence"]:
            evidence = claim["evidence"][0]
            sentences = _sentences(abstracts[evidence["doc_id"]])
            said = [sentences[at] for at in evidence["sentences"] if at < len(sentences)]
            kind = evidence["label"]
        else:
            said = _nearest(claim["text"], _sentences(abstracts[claim["cited"][0]]))
            kind = "neither"
        if said:
            pair = ClaimPair(" ".join(said), claim["text"], kind == "CONTRADICT", kind, "en-en", kind == "SUPPORT")
            found[kind].append(pair)
    return [pair for pairs in found.values() for pair in pairs[: count // 3]]


def terra(count: int) -> list[ClaimPair]:
    """Return held Russian pairs of TERRa, as many that follow as others; which of those contradict is not known."""
    held = set(_held_out()["terra_ru/train.jsonl idx"])
    rows = sorted((row for row in _rows("terra_ru", "train.jsonl") if row["idx"] in held), key=_by_hypothesis)
    found = [
        ClaimPair(row["premise"], row["hypothesis"], False, row["label"], "ru-ru", row["label"] == "entailment")
        for row in rows
    ]
    return [pair for follows in (True, False) for pair in [p for p in found if p.follows is follows][: count // 2]]


def _by_hypothesis(row: dict[str, Any]) -> str:
    return digest(row["hypothesis"])


def restatements(count: int) -> list[ClaimPair]:
    """Return the hand-written restatements, and sentences of held paragraphs with their translations."""
    own = [pair for pair in hidden() if pair.kind == RESTATEMENT]
    return (own + list(_translated()))[:count]


def spread(pairs: Sequence[ClaimPair], count: int) -> list[ClaimPair]:
    """Return so many pairs, as evenly of all kinds and languages as can be, always the same ones."""
    groups: dict[tuple[str, str], list[ClaimPair]] = {}
    for pair in pairs:
        groups.setdefault((pair.kind, pair.langs), []).append(pair)
    turns = zip_longest(*(by_digest(group, len(group)) for group in groups.values()))
    return list(islice((pair for turn in turns for pair in turn if pair is not None), count))


def by_digest(pairs: Sequence[ClaimPair], count: int) -> list[ClaimPair]:
    """Return so many pairs, the first by the SHA-256 of their claims."""
    return sorted(pairs, key=lambda pair: digest(f"{pair.first}\n{pair.second}"))[:count]


def _translated() -> Iterator[ClaimPair]:
    english, russian = _held_paragraphs("en"), _held_paragraphs("ru")
    pairs = []
    for key, paragraph in english.items():
        one, two = _sentences(paragraph), _sentences(russian.get(key, ""))
        if len(one) == len(two):  # then they stand side by side
            both = ((a, b) for a, b in zip(one, two, strict=True) if max(len(a), len(b)) < LONGEST_SENTENCE)
            pairs += [ClaimPair(a, b, False, RESTATEMENT, "en-ru", True) for a, b in both]
    return iter(sorted(pairs, key=lambda pair: digest(pair.first)))


def _nearest(claim: str, sentences: Sequence[str]) -> list[str]:
    words = set(index_terms(claim))
    return [max(sentences, key=lambda each: len(words & set(index_terms(each))))] if sentences else []


def _sentences(text: str) -> list[str]:
    return [each.strip() for each in SENTENCE_END.split(text) if each.strip()]


def _key(text: str) -> str:
    return digest(" ".join(text.split()))


@cache
def _held_out() -> dict[str, list[Any]]:
    held: dict[str, list[Any]] = json.loads((data_folder() / "nli" / "held_out.json").read_text(encoding="utf-8"))
    return held


@cache
def _held_paragraphs(lang: str) -> dict[str, str]:
    """Return the paragraphs of XQuAD that no training pair was made of, by number."""
    held = {str(number) for number in _held_out()["xquad paragraphs"]}
    found = {row["_id"].rpartition("-")[2]: row["text"] for row in _rows("xquad", lang, "corpus.jsonl")}
    return {number: text for number, text in found.items() if number in held}


def _rows(*parts: str) -> list[dict[str, Any]]:
    with data_folder().joinpath(*parts).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
