"""What a follow-up asks: a question that leans on the one before is joined with it, a correction is never believed.

Rules, no model: what is looked for must stand before any model has read a token. A follow-up that names nothing of its
own («а когда это было?», "and who was it?") says in parentheses what it leans on: the last question that stood alone,
without what that asked for, and the names in the answer to it. So it stays one question, which a passage can answer
that does not answer the one before. "No, it was 35" asks the same question again, and what it claims is only compared
with the notes.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from vaultrag.answering.attribution import bag_of
from vaultrag.answering.citations import offered_numbers
from vaultrag.answering.evidence.asked_for import without_cues
from vaultrag.domain import Answer, AnswerEvent, AnswerReady, AnswerStatus, Exchange
from vaultrag.text.language import Token, content_tokens, fold, language_of, tokens

EXCHANGES_READ = 8  # the last ones; a topic that is older was said again since, or is over
LONGEST_TOPIC = 600  # characters of the question that a follow-up leans on
NAMES_TAKEN = 6  # out of the answer before: who "he" or «там» may be
FEW_WORDS = 3  # with a meaning; a question of more says itself what it is about
SHORTEST_NAME = 3  # letters

CLAIM_FOUND = {"ru": "В заметках есть и то, что вы говорите.", "en": "What you say stands in the notes, too."}
CLAIM_NOT_FOUND = {"ru": "Того, что вы говорите, в заметках нет.", "en": "What you say does not stand in the notes."}

_ANAPHORA = frozenset(
    """
    он она оно они его ее её их ему ей им ним ней него нее неё них нем нём нею ними
    это этого этому этим этом эта эту этой этот эти этих этими то того тому тем той те тех
    там туда оттуда тут тогда здесь такой такая такое такие так
    it its he him his she her hers they them their theirs this that these those there then one ones
    """.split()
)
_ASKING = frozenset(
    """
    кто что где когда куда откуда почему зачем сколько какой какая какое какие какого каким как чей чья чьё чьи
    who what where when why how which whose whom
    """.split()
)
_OPENING = re.compile(r"\A\s*(?:а|и|но|ну|да|and|but|so|or|also|ok|okay|what about|how about)\b[\s,]*", re.IGNORECASE)
_ABOUT = re.compile(r"\s*(?:(?:and|but|so)\s+)?(?:what|how) about\b", re.IGNORECASE)
_SURE = r"(?:точно|хорошо|отлично|совершенно|абсолютно|pretty|quite|fairly|very|absolutely|clearly|distinctly)\s+"
_DENIAL = re.compile(
    r"\A\s*(?:(?:да\s+)?нет|(?:это\s+)?не\s*(?:т(?:ак|уда)|верно|правда|может\s+быть)|(?:это\s+)?(?:неправда|неправильно"
    r"|неверно|ошибка)|(?:[тв]ы\s+)?(?:ошиба\w{2,6}|пута\w{2,4})|[тв]ы\s+не\s*прав\w?|вообще-то|на\s+самом\s+деле"
    r"|no|nope|nah|wrong|incorrect|not\s+(?:true|right|quite|correct)|actually"
    r"|(?:that|this|it)(?:(?:'|’)?s|\s+is)\s+(?:wrong|not\s+(?:right|true))"
    r"|(?:that|this|it)\s+can(?:(?:'|’)?t|not)\s+be(?:\s+(?:right|true|correct))?"
    r"|you(?:(?:'|’)?re|\s+are)\s+(?:wrong|mistaken|confusing\s+\w+)|i\s+(?:think|thought|believe)\s+it"
    rf"|i\s+(?:{_SURE})?(?:remember|recall)(?:\s+that)?|i(?:(?:'|’)?m|\s+am)\s+(?:{_SURE})?(?:sure|certain)(?:\s+that)?"
    rf"|я\s+(?:{_SURE})?(?:думаю|думал|думала|помню|знаю|считаю|уверена?)(?:,?\s+что)?"
    rf"|насколько\s+я\s+(?:помню|знаю)|по-моему|мне\s+кажется)\b[\s,.!:;—–-]*",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\A\s*(?:разве\s+не|(?:was|were|is|are|did|does)n(?:'|’)?t\s+(?:it|they|that|he|she))\b[\s,]*", re.IGNORECASE
)
_CONTRAST = re.compile(  # "the rent is 400, not 300", «не 300, а 400»
    r"[,;]\s*(?:а\s+не|(?:and\s+)?not|rather\s+than)\s|\bне\s[^.?!]{1,60},\s*а\s|\bnot\s[^.?!]{1,60}\bbut\s",
    re.IGNORECASE,
)
_COPULAS = frozenset("был была было были есть стоит стоил стоила is was are were has had".split())
_ORDERING = frozenset(
    """
    покажи покажите найди найдите расскажи расскажите перечисли перечислите сравни сравните дай дайте ищи
    show find list tell give compare search look summarize summarise
    """.split()
)
_BUT = re.compile(r"\A\s*(?:но|but)\s+(?:ведь\s+)?", re.IGNORECASE)
_CLAIMING = frozenset("он она оно они его её ее их это этот эта эти it its he she they that this these those".split())
_ENDS_ASKING = re.compile(r"\?\s*$")


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question, as it was `put`, comes to: `asked` stands alone, `claim` is what the user holds against it.

    A claim is never part of what is asked. `paths` are the notes whose words may stand in `asked`.
    """

    put: str
    asked: str
    claim: str = ""
    paths: tuple[str, ...] = ()

    @property
    def leans(self) -> bool:
        """Tell whether words that the user has not put this time stand in what is asked."""
        return self.asked != self.put

    @property
    def own(self) -> str:
        """What is asked in the user's words alone: no word of a note or of an answer stands in it."""
        return self.asked if self.claim else self.put


def understand(question: str, earlier: Sequence[Exchange]) -> Understood:
    """Return a question as it is to be looked for, after what was said before it."""
    topic = ""
    for exchange in earlier[-EXCHANGES_READ:]:
        if not topic or not (leans_on_topic(exchange.question) or is_correction(exchange.question, topic)):
            topic = exchange.question
    if not topic:
        return Understood(question, question)
    if is_correction(question, topic):
        return Understood(question, topic, _without_denial(question) or question.strip())
    if leans_on_topic(question):
        last = earlier[-1]
        return Understood(question, _joined(topic, last.answer, question), paths=last.paths)
    return Understood(question, question)


def in_conversation(
    understood: Understood, events: Generator[AnswerEvent, None, None]
) -> Generator[AnswerEvent, None, None]:
    """Hand an answer's events through: the answer is to the question as put, and says what is true of a claim."""
    with closing(events):
        for event in events:
            if isinstance(event, AnswerReady):
                yield AnswerReady(replace(_to_claim(event.answer, understood), question=understood.put))
            else:
                yield event


def leans_on_topic(question: str) -> bool:
    """Tell whether a question says too little to be looked for alone."""
    opening = _OPENING.match(question)
    rest = question[opening.end() :] if opening else question
    said = content_tokens(rest)
    if not said:
        return True
    named = any(_is_own(token, rest) for token in said)
    if opening and len(said) <= FEW_WORDS:
        return True
    pronoun = next((token for token in tokens(rest) if fold(token.text) in _ANAPHORA), None)
    if pronoun is not None and len(said) <= FEW_WORDS and not _named_before(rest, said, pronoun):
        return True
    return len(said) == 1 and not named


def is_correction(question: str, topic: str = "") -> bool:
    """Tell whether the user denies an answer instead of asking: "no, it was 35", «разве не 2019?», "It was 35."

    With the question that was answered a statement is known by its words, too: "The rent is 400."
    """
    denial, doubt = _DENIAL.match(question), _DOUBT.match(question)
    if denial is None:
        return _is_short(question, doubt.end()) if doubt else _claims(question, topic)
    rest = question[denial.end() :]
    if next((fold(token.text) for token in tokens(rest)), "") in _ASKING:
        return False
    doubts = "," in denial.group() and _is_short(question, denial.end())  # "no, wasn't it 35?"
    return doubts or not _ENDS_ASKING.search(question)


def _is_short(question: str, start: int) -> bool:
    return len(content_tokens(question[start:])) <= FEW_WORDS


def _claims(question: str, topic: str) -> bool:
    """Tell a statement about what was asked for, which gives a value of its own: «это был 2019, а не 2018»."""
    rest = _BUT.sub("", question, count=1)
    said = [fold(token.text) for token in tokens(rest)]
    if not said or said[0] in _ORDERING or _ENDS_ASKING.search(rest) or not _ASKING.isdisjoint(said):
        return False
    if said[0] not in _CLAIMING and not _CONTRAST.search(rest) and not _is_statement(rest, topic):
        return False
    return any(_is_own(token, rest) for token in content_tokens(rest))


def _is_statement(text: str, topic: str) -> bool:
    """Tell a sentence that gives a value for what was asked, in its words, from a few words to be looked for."""
    said, asked = content_tokens(text), {token.stem for token in content_tokens(topic)}
    is_sentence = text.rstrip().endswith((".", "!")) or any(fold(token.text) in _COPULAS for token in tokens(text)[1:])
    new = any(_is_own(token, text) and token.stem not in asked for token in said)
    return is_sentence and new and not asked.isdisjoint(token.stem for token in said)


def _without_denial(question: str) -> str:
    opening = next((found for form in (_DENIAL, _DOUBT, _BUT) if (found := form.match(question))), None)
    return question[opening.end() :].strip() if opening else question.strip()


def holds_claim(claim: str, quote: str) -> bool:
    """Tell whether a quote says each number, date and name that the user claims."""
    claimed, said = bag_of(claim), bag_of(quote)
    telling = (claimed.exact | claimed.names) or claimed.distinct
    return bool(telling) and telling <= said.distinct | said.names


def _to_claim(answer: Answer, understood: Understood) -> Answer:
    """Begin the answer with whether the notes say what the user claims; what they say stays as it is."""
    if not understood.claim or answer.status is AnswerStatus.NOT_IN_VAULT:
        return answer
    said = any(holds_claim(understood.claim, citation.quote) for citation in answer.citations)
    language = language_of(understood.claim) or language_of(understood.asked)
    opening = (CLAIM_FOUND if said else CLAIM_NOT_FOUND).get(language, CLAIM_NOT_FOUND["en"])
    return replace(answer, text=f"{opening}\n\n{answer.text}")


def _joined(topic: str, answer: str, question: str) -> str:
    """Return a follow-up with what it leans on; "and in 2025?" takes the topic's question up."""
    names = ", ".join(_names(answer, topic))
    topic = topic.strip()[:LONGEST_TOPIC].rstrip(" ?")
    rest = _OPENING.sub("", question, count=1).strip(" ?") or question.strip(" ?")
    if changed := _with_number(topic, rest):
        return f"{changed}?"
    asks, said = (topic, rest) if _takes_up(question, rest) else (rest, _without_asking(topic))
    return f"{asks} ({'; '.join(filter(None, (said, names)))})?"


def _with_number(topic: str, rest: str) -> str:
    """Return the topic with the one number that the follow-up gives in place of its own; empty where it is none."""
    given, numbers = content_tokens(rest), [token for token in tokens(topic) if token.text.isdigit()]
    if len(given) != 1 or len(numbers) != 1 or not given[0].text.isdigit():
        return ""
    old, new = numbers[0], given[0].text
    return topic[: old.start] + new + topic[old.end :] if len(new) == len(old.text) else ""


def _takes_up(question: str, rest: str) -> bool:
    """Tell whether a follow-up asks for nothing itself, and stands for nothing that was named: «а у Фарида?»."""
    said = {fold(token.text) for token in tokens(rest)}
    return bool(_ABOUT.match(question)) or (said.isdisjoint(_ASKING) and said.isdisjoint(_ANAPHORA))


def _without_asking(topic: str) -> str:
    """Return what a question is about, without the words that say what it asks for."""
    topic = without_cues(topic)
    for token in reversed(tokens(topic)):
        if fold(token.text) in _ASKING:
            topic = topic[: token.start] + topic[token.end :]
    return " ".join(topic.split())


def _names(answer: str, topic: str) -> list[str]:
    """Return the names in an answer that its question did not hold, as they are written there."""
    text, asked = offered_numbers(answer)[0], {token.stem for token in tokens(topic)}
    found = [token.text for token in content_tokens(text) if _is_name(token, text) and token.stem not in asked]
    return list(dict.fromkeys(found))[:NAMES_TAKEN]


def _is_name(token: Token, text: str) -> bool:
    """Tell a name by its capital, but not where any word has one."""
    if len(token.text) < SHORTEST_NAME or not token.text[0].isupper():
        return False
    before = text[: token.start].rstrip(" \t«“\"'(*_[")
    return bool(before) and before[-1] not in ".!?…:\n>#-–—|"


def _is_own(token: Token, text: str) -> bool:
    """Tell whether a word names something by itself: a number, an identifier, a name."""
    return any(map(str.isdigit, token.text)) or not token.text.isalpha() or _is_name(token, text)


def _named_before(text: str, said: Sequence[Token], pronoun: Token) -> bool:
    """Tell whether the question itself says, before the pronoun, what that stands for."""
    return any(token.start < pronoun.start and _is_own(token, text) for token in said)
