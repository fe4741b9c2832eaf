"""Questions made from a vault whose answer is known: at a known place, or nowhere at all. They are asked, never kept.

A question is written by the model from one sentence, whose place it then must find. Coined away, with a name that no
note holds in place of its subject, it has no answer; nor has a question for what no note tells of its subject.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vaultrag.domain import ChatModel, Chunk, Generation, Message, Priority, Sampling
from vaultrag.text.entities import as_shown
from vaultrag.text.language import content_tokens, language_of, sentences, stems

SENTENCE = range(40, 300)  # characters: shorter ones say nothing by themselves, longer ones too much for one question
QUESTION = range(12, 200)  # characters of a question that can be asked
SUBJECT = range(3, 60)  # characters of a title that can stand in a question
QUESTION_TOKENS = 60
LANGUAGES = {"ru": "Russian", "en": "English"}
SYSTEM = Message("system", "You write short questions for a quiz about somebody's notes.")
# What is said of hardly anything in notes, by the word that would say it, and how it is asked for.
UNTOLD = {
    "en": (
        ("serial", "What is the serial number of {subject}?"),
        ("insurance", "Which insurance company covers {subject}?"),
        ("predecessor", "Who was the predecessor of {subject}?"),
        ("nickname", "What nickname did {subject} have at first?"),
        ("lawyer", "Which lawyer looked at {subject}?"),
        ("postcode", "What is the postcode of {subject}?"),
    ),
    "ru": (
        ("серийный", "Какой серийный номер у {subject}?"),
        ("страховая", "Какая страховая компания отвечает за {subject}?"),
        ("предшественник", "Кто был предшественником: {subject}?"),
        ("прозвище", "Какое прозвище было сначала: {subject}?"),
        ("юрист", "Какой юрист смотрел {subject}?"),
        ("индекс", "Какой почтовый индекс у {subject}?"),
    ),
}
_ONSETS = {
    "en": "b d f g k l m n p r s t v z br dr gl kr pl tr".split(),
    "ru": "б в г д з к л м н п р с т бр др кл тр".split(),
}
_VOWELS = {"en": "aeiou", "ru": "аеиоу"}
_LAST = {"en": "o", "ru": "о"}  # no case changes a Russian name that ends so
_CAPITALISED = re.compile(r"(?<![.!?…]\s)(?<!^)\b[A-ZА-ЯЁ][\w-]{2,}(?:\s+[A-ZА-ЯЁ][\w-]+)*")
_TELLING = re.compile(r"\d|(?<!^)(?<![.!?…]\s)\b[A-ZА-ЯЁ][a-zа-яё]{2,}")
_MARKUP = re.compile(r"^[\s>|*#-]|[\[\]{}<>|`=]|https?:")

IsHeld = Callable[[str], bool]
"""Tells whether any passage of the vault holds a stem."""


class ProbeKind(StrEnum):
    """KNOWN is answered where it was taken from. COINED is one of those about a subject that no note holds.

    UNTOLD asks of a real subject what its note does not tell.
    """

    KNOWN = "known"
    COINED = "coined"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Seed:
    """A sentence that a question can be made of, and the passage that holds it."""

    chunk_id: str
    title: str
    sentence: str

    @property
    def language(self) -> str:
        return language_of(self.sentence)

    @property
    def key(self) -> str:
        """Tells the seed without saying what it holds."""
        return hashlib.sha256(f"{self.chunk_id} {self.sentence}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Probe:
    """A question, and the passage that answers it: none for one that nothing answers."""

    kind: ProbeKind
    question: str
    chunk_id: str = ""

    @property
    def answerable(self) -> bool:
        return self.kind is ProbeKind.KNOWN


def seeds(chunks: Sequence[tuple[str, Chunk]], count: int) -> list[Seed]:
    """Choose sentences from passages with their notes' titles: plain ones that hold a number or a name.

    One of a note before a second of any, in an order that is the same each time and prefers no part of the vault.
    """
    by_note: dict[str, list[Seed]] = {}
    for title, chunk in chunks:
        for sentence in _sentences(chunk):
            by_note.setdefault(chunk.path, []).append(Seed(chunk.id, title, sentence))
    rows = [sorted(some, key=lambda seed: seed.key) for some in by_note.values()]
    rows.sort(key=lambda row: row[0].key)
    deepest = max(map(len, rows), default=0)
    return [row[depth] for depth in range(deepest) for row in rows if depth < len(row)][:count]


def known_probe(seed: Seed, model: ChatModel) -> Probe | None:
    """Have the model ask what the sentence answers; None where it writes no question that can be asked.

    Raises ModelError.
    """
    asked = (
        f"Note: {seed.title}\n{seed.sentence}\n\nWrite one short question in {LANGUAGES[seed.language]} that this note "
        "answers with a fact. Name what it is about. Write only the question."
    )
    written = _written(model, asked).strip().strip('"«»“”')
    question = written.split("\n")[0].strip()
    if len(question) not in QUESTION or not question.endswith("?") or language_of(question) != seed.language:
        return None
    if set(_meaning(seed.sentence)) <= set(_meaning(question)):
        return None  # the sentence with a question mark asks for nothing
    return Probe(ProbeKind.KNOWN, question, seed.chunk_id)


def coined_probe(seed: Seed, known: Probe, is_held: IsHeld) -> Probe | None:
    """Ask the same about a subject that is in no note; None where the question names none."""
    spans = _subject(known.question, seed.title)
    if spans is None:
        return None
    name = coined_name(seed.key, seed.language, is_held)
    return Probe(ProbeKind.COINED, known.question[: spans[0]] + name + known.question[spans[1] :])


def untold_probe(seed: Seed, said: frozenset[str]) -> Probe | None:
    """Ask of the note's subject what it does not tell; None where its title is no subject.

    `said` are the stems of all that the note says.
    """
    if len(seed.title) not in SUBJECT or not seed.title[0].isalpha():
        return None
    forms = UNTOLD[seed.language]
    start = int(seed.key, 16) % len(forms)
    for word, form in (*forms[start:], *forms[:start]):
        if said.isdisjoint(stems(word)):
            return Probe(ProbeKind.UNTOLD, form.format(subject=seed.title))
    return None


def coined_name(key: str, language: str, is_held: IsHeld) -> str:
    """Return a name that can be spoken and that no note holds; the same for the same key."""
    for attempt in range(100):
        digits = hashlib.sha256(f"{key} {attempt}".encode()).digest()
        onsets, vowels = _ONSETS[language], _VOWELS[language]
        syllables = (onsets[digits[i] % len(onsets)] + vowels[digits[i + 1] % len(vowels)] for i in (0, 2))
        name = "".join(syllables) + onsets[digits[4] % len(onsets)] + _LAST[language]
        if not any(map(is_held, stems(name))):
            return name.capitalize()
    return name.capitalize()


def _sentences(chunk: Chunk) -> Iterator[str]:
    for first, last in sentences(chunk.text):
        sentence = as_shown(chunk.text[first:last])
        plain = len(sentence) in SENTENCE and not _MARKUP.search(sentence) and language_of(sentence) in LANGUAGES
        if plain and "\n" not in sentence and _TELLING.search(sentence) and not sentence.endswith("?"):
            yield sentence


def _subject(question: str, title: str) -> tuple[int, int] | None:
    """Return where the question names its subject: by words of the title, else by a name; the longest such run."""
    titled = set(_meaning(title))
    found = [token for token in content_tokens(question) if token.stem in titled]
    if found:
        return found[0].start, _run_end(question, [(token.start, token.end) for token in found])
    names = sorted(_CAPITALISED.finditer(question), key=lambda match: match.start() - match.end())
    return names[0].span() if names else None


def _run_end(text: str, spans: Sequence[tuple[int, int]]) -> int:
    """Return where the words that follow the first with only spaces and hyphens between them end."""
    end = spans[0][1]
    for start, last in spans[1:]:
        if start >= end and text[end:start].strip(" -–—"):
            break
        end = max(end, last)
    return end


def _meaning(text: str) -> list[str]:
    return [token.stem for token in content_tokens(text)]


def _written(model: ChatModel, asked: str) -> str:
    sampling = Sampling(max_tokens=QUESTION_TOKENS, priority=Priority.NIGHT)
    text = ""
    for piece in model.generate((SYSTEM, Message("user", asked)), sampling):
        text = piece.text if isinstance(piece, Generation) else text
    return text
