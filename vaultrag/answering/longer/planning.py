"""What a long question asks for, part by part: cut by rule where its own words part it, or said by a model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources

from vaultrag.answering.evidence.missing import standing_alone
from vaultrag.domain import ChatModel, Generation, Message, Sampling
from vaultrag.text.language import content_tokens, language_of, sentences

MOST_PARTS = 6  # searches beside the one for the whole question; each costs some tens of milliseconds
FEWEST_WORDS = 2  # with meaning, of a part that is no name: «когда именно» finds everything
LONGEST_PART = 300  # characters that a model may give a part
PLAN_TOKENS = 200  # six short questions
PLAN_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"questions": {"type": "array", "items": {"type": "string"}, "maxItems": MOST_PARTS}},
        "required": ["questions"],
    }
)

_BEFORE_ASKING = "of|in|on|at|for|from|with|to|by|в|во|на|с|со|о|об|от|из|к|ко|за|для|по|у|под|над|при|через|после|до"
_CUT_OFF = re.compile(rf"(?:\A|\s)(?:{_BEFORE_ASKING})\s\Z", re.IGNORECASE)  # "with" belongs to the "whom" behind it
_LONGEST_CUT_OFF = 8  # characters; more than any preposition has with its spaces
# A clause begins here: it asks something else, or describes what is asked for. Between words there is one space each.
_CLAUSE = re.compile(
    r"(?:(?:^|[,;:–—]| -) ?(?:(?:and|but|or|и|а|но|или) )?"
    r"| (?:(?:and|but|or|и|а|но|или) )?)"
    rf"(?=(?:(?:{_BEFORE_ASKING}) )?"
    r"(?:who|whom|whose|which|where|when|what|why|how|that|because|after|before|while"
    r"|кто|кого|кому|кем|ком|чей|чья|чьё|чье|чьи|чего|чему|чем|что|когда|где|куда|откуда|почему|зачем|как|сколько"
    r"|котор\w+|как\w{2,3}|потому|после|пока|если)\b)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[;:]\s+|,\s+(?=(?:and|but|и|а|но)\s)|\s[–—-]\s", re.IGNORECASE)
# Between two of a kind that are compared: names, dates, numbers, or what stands in quotes.
_BETWEEN = re.compile(r" (?i:or|and|versus|vs\.?|или|и|либо) (?=(?:the |an? )?[\"“«(]?[^\W_a-zа-яё])")
_NAME_BEFORE = re.compile(r"[A-ZА-ЯЁ\d\"“”«»]\S*(?:\s+\S+){0,3}$")


def split_question(question: str) -> tuple[str, ...]:
    """Return the parts of a question, without the question itself; none where it asks for one thing.

    Parts are its sentences, the clauses in them, and the names that an «или», an "and" or a comma sets side by side.
    """
    whole = standing_alone(question)
    found: dict[str, None] = {}
    for part in _parts(question):
        plain = standing_alone(part)
        if plain and plain != whole and _says_enough(plain):
            found.setdefault(plain)
    return tuple(found)[:MOST_PARTS]


def _parts(question: str) -> Iterator[str]:
    asked = [" ".join(question[first:last].split()) for first, last in sentences(question)]
    for sentence in asked:
        yield sentence
        yield from _compared(sentence)
    for sentence in asked:
        yield from _clauses(sentence)


def _compared(sentence: str) -> Iterator[str]:
    """Yield both sides of each word that sets two names side by side."""
    for match in _BETWEEN.finditer(sentence):
        before, after = sentence[: match.start()], sentence[match.end() :]
        if _NAME_BEFORE.search(before):
            yield re.split(r"[,:]\s", before)[-1]
            yield after


def _clauses(sentence: str) -> Iterator[str]:
    cuts = sorted({0, *(match.end() for pattern in (_CLAUSE, _BREAK) for match in pattern.finditer(sentence))})
    cuts = [cut for cut in cuts if not _CUT_OFF.search(sentence[max(0, cut - _LONGEST_CUT_OFF) : cut])]
    pieces = [sentence[first:last] for first, last in zip(cuts, [*cuts[1:], len(sentence)], strict=True)]
    if len(pieces) > 1:
        yield from pieces


def _says_enough(part: str) -> bool:
    words = content_tokens(part)
    return len(words) >= FEWEST_WORDS or any(_is_name(word.text) for word in words)


def _is_name(word: str) -> bool:
    return word[:1].isupper() or any(map(str.isdigit, word))


def planned_by(model: ChatModel, question: str) -> tuple[str, ...]:
    """Ask a model for the parts of a question; none where what it says is no list of questions. Raises ModelError."""
    language = "ru" if language_of(question) == "ru" else "en"
    prompts = resources.files("vaultrag.answering").joinpath("prompts", f"plan.{language}.md")
    messages = (
        Message("system", prompts.read_text(encoding="utf-8").strip()),
        Message("user", question.strip()),
    )
    said = ""
    for piece in model.generate(messages, Sampling(max_tokens=PLAN_TOKENS, schema=PLAN_SCHEMA)):
        if isinstance(piece, Generation):
            said = piece.text
    return _read_plan(said, question)


def _read_plan(said: str, question: str) -> tuple[str, ...]:
    try:
        found = json.loads(said)["questions"]
    except (ValueError, KeyError, TypeError):
        return ()
    parts = (" ".join(part.split())[:LONGEST_PART] for part in found if isinstance(part, str))
    return tuple(dict.fromkeys(part for part in parts if part and part != question.strip()))[:MOST_PARTS]
