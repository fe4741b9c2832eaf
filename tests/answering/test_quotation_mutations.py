"""Each sentence of the fixture's notes: found as an honest hand would quote it, and not once anything is changed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vaultrag.answering.citations import SourceSentence, source_sentences
from vaultrag.answering.quotation import QuotedText
from vaultrag.vault.parsing.plain import plain_line

VAULT = Path(__file__).parent.parent.parent / "fixtures" / "vault"
NOTES, OF_EACH = 30, 12
LOOK_ALIKE = str.maketrans("аеорсухАВЕКМНОРСТХ", "aeopcyxABEKMHOPCTX")
WORD = re.compile(r"[^\W\d_]+")


def sentences() -> Iterator[tuple[QuotedText, SourceSentence, str]]:
    """Yield notes with a sentence of each, as it is written and as it is read."""
    rng = random.Random(12)
    for path in sorted(VAULT.rglob("*.md"))[::4][:NOTES]:
        text = path.read_text(encoding="utf-8")
        note = QuotedText(text)
        whole = [one for one in source_sentences(0, text) if one.backs and one.text.count("|") == 0]
        for one in rng.sample(whole, min(OF_EACH, len(whole))):
            read = plain_line(one.text)
            if len(WORD.findall(read)) >= 4:
                yield note, one, read


FOUND = list(sentences())


def honest(read: str) -> Iterator[str]:
    yield read
    yield read.replace("ё", "е").replace("Ё", "Е")
    yield read.replace("«", "“").replace("»", "”").replace("–", "-").replace("\u00a0", " ")
    yield read.replace(" — ", " – ").replace("…", "...")
    yield read.replace(" ", "\u00a0")
    yield " ".join(read.split())


def without_a_word(read: str, rng: random.Random) -> str:
    inner = list(WORD.finditer(read))[1:-1]
    word = rng.choice(inner)
    return f"{read[: word.start()].rstrip()} {read[word.end() :].lstrip()}"


def with_words_swapped(read: str, rng: random.Random) -> str:
    words = read.split()
    if len(words) < 2:
        return read
    at = rng.randrange(len(words) - 1)
    words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words)


def with_a_digit_changed(read: str, rng: random.Random) -> str:
    digits = [at for at, sign in enumerate(read) if sign.isdigit()]
    if not digits:
        return read
    at = rng.choice(digits)
    return f"{read[:at]}{(int(read[at]) + 1) % 10}{read[at + 1 :]}" if read[at].isascii() else read


def with_a_negation(read: str, rng: random.Random) -> str:
    word = rng.choice(list(WORD.finditer(read))[1:])
    return f"{read[: word.start()]}{'не' if re.search('[а-я]', read) else 'not'} {read[word.start() :]}"


def with_stress(read: str, rng: random.Random) -> str:
    vowels = [at for at, sign in enumerate(read) if sign in "аеиоуыэюя"]
    at = rng.choice(vowels) if vowels else len(read)
    return f"{read[: at + 1]}\u0301{read[at + 1 :]}" if vowels else read


def with_yo(read: str, rng: random.Random) -> str:
    vowels = [at for at, sign in enumerate(read) if sign == "е"]
    at = rng.choice(vowels) if vowels else len(read)
    return f"{read[:at]}ё{read[at + 1 :]}" if vowels else read


def with_a_look_alike(read: str, rng: random.Random) -> str:
    alike = [at for at, sign in enumerate(read) if sign.translate(LOOK_ALIKE) != sign]
    at = rng.choice(alike) if alike else len(read)
    return f"{read[:at]}{read[at].translate(LOOK_ALIKE)}{read[at + 1 :]}" if alike else read


FORGED: tuple[Callable[[str, random.Random], str], ...] = (
    without_a_word,
    with_words_swapped,
    with_a_digit_changed,
    with_a_negation,
    with_stress,
    with_yo,
    with_a_look_alike,
)


def test_honest_quotes_are_found_at_their_place() -> None:
    assert len(FOUND) > 100
    missed = [
        quote
        for note, one, read in FOUND
        for quote in honest(read)
        if not any(match.start < one.end and one.start < match.end for match in note.find(quote))
    ]
    assert missed == []


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_forged_quotes_are_not_found(forge: Callable[[str, random.Random], str]) -> None:
    rng = random.Random(7)
    forged = [(note, forge(read, rng), read) for note, _, read in FOUND]
    changed = [(note, quote) for note, quote, read in forged if quote.lower().split() != read.lower().split()]
    assert len(changed) > 30
    assert [quote for note, quote in changed if note.find(quote)] == []
