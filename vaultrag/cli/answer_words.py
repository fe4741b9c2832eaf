"""The words that the terminal sets around an answer, in the answer's own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vaultrag.text.language import language_of
from vaultrag.wire import Answer, ProbeRecord


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """How one language says it. `levels` are said above prose, by how sure it is; `no_source` and `partly` behind it.

    `refused` and `cited` hold the counts of a probe, `here` and `elsewhere` begin the sentence about them.
    """

    levels: Mapping[str, str]
    no_source: str
    partly: str
    near: str
    passages: str
    disputed: str
    missing: str
    findings: Mapping[str, str]
    if_notes: str
    looked_for: str
    as_search: str
    refused: str
    cited: str
    here: str
    elsewhere: str
    unjudged: str


_ENGLISH = AnswerWords(
    levels={"backed": "The notes say:", "weak": "As far as the notes say it:"},
    no_source="[no source]",
    partly="[partly]",
    near="What comes near:",
    passages="Nearest passages:",
    disputed="Disputed: ",
    missing="Nothing found on: ",
    findings={
        "contradiction": "Your notes disagree",
        "superseded": "Superseded",
        "assistants": "Assistants disagree",
    },
    if_notes="If you asked for notes: ",
    looked_for="Looked for: ",
    as_search="As a search: ",
    refused="of {of} probe questions without an answer {rightly} were refused",
    cited="of {of} with a known place {rightly} cited it",
    here="",
    elsewhere="Elsewhere, ",
    unjudged="No probe question was judged.",
)
_RUSSIAN = AnswerWords(
    levels={"backed": "В заметках сказано:", "weak": "Насколько это сказано в заметках:"},
    no_source="[без источника]",
    partly="[отчасти]",
    near="Ближе всего:",
    passages="Ближайшие места:",
    disputed="Расходятся: ",
    missing="Не нашлось: ",
    findings={
        "contradiction": "Заметки расходятся",
        "superseded": "Устарело",
        "assistants": "Ассистенты расходятся",
    },
    if_notes="Если вопрос о заметках: ",
    looked_for="Искалось: ",
    as_search="Тот же поиск: ",
    refused="отказано верно: {rightly} из {of} пробных вопросов без ответа",
    cited="место приведено: {rightly} из {of} вопросов, где оно известно",
    here="Здесь ",
    elsewhere="На других заметках ",
    unjudged="Ни один пробный вопрос не проверен.",
)


def words_around(answer: Answer) -> AnswerWords:
    """Return the words for the language in which an answer speaks; its first line is never a note's alone."""
    first = answer.text.partition("\n")[0]
    return _RUSSIAN if (language_of(first) or language_of(answer.question)) == "ru" else _ENGLISH


def probe_words(record: ProbeRecord, words: AnswerWords = _ENGLISH) -> str:
    """Say what became of questions whose answer is known, asked at the threshold that is used."""
    told = []
    if record.unanswerable:
        told.append(words.refused.format(of=record.unanswerable, rightly=record.refused))
    if record.answerable:
        told.append(words.cited.format(of=record.answerable, rightly=record.cited))
    if not told:
        return words.unjudged
    beginning = words.here if record.of_this_vault else words.elsewhere
    sentence = f"{beginning}{'; '.join(told)}."
    return sentence[0].upper() + sentence[1:]


def doubt_words(answer: Answer) -> str:
    """Say what a level meant where it was tried, of an answer that is in doubt; nothing of one that is backed."""
    record = answer.sureness.record if answer.sureness else None
    return probe_words(record, words_around(answer)) if record and answer.level != "backed" else ""
