"""Which sentence of which passage a sentence of the answer stands on. Pure; the model's obedience is not needed.

Support is the share of the answer sentence's meaning-bearing words that stand in the source, each weighed by how rare
it is among the sources; what the question already said counts less. A number, an
identifier or a name that the sources lack ends it, and so does a line that plainly speaks of something else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.citations import SourceSentence, without_lead
from vaultrag.answering.citing.same_subject import (
    EnumeratedPart,
    Wording,
    differ_in_negation,
    differ_in_unit,
    given_to_another,
    parts_of_enumeration,
)
from vaultrag.domain import Verification
from vaultrag.text.dates import canonical_dates
from vaultrag.text.entities import decoded
from vaultrag.text.language import Token, content_tokens, fold, stem, tokens
from vaultrag.text.morphology import term_of
from vaultrag.text.numbers import canonical_numbers
from vaultrag.text.transliteration import transliterations

LEXICAL_FLOOR = 0.5  # half of the weighted words: below, two random sentences of one note begin to pass
JOINT_FLOOR = 0.7  # where no source says half of a sentence, what its sources must say of it together
SEMANTIC_FLOOR = 0.875  # multilingual-e5-small: paraphrases and translations lie above, same-topic neighbours below
SECOND_SOURCE_GAIN = 0.25  # a further source must bring a quarter of the sentence's words
QUESTION_WORD_WEIGHT = 0.35  # repeating the question supports nothing by itself
OFFERED_BONUS = 0.1  # the passage that the model itself named wins near ties
VERBATIM_SHARE = 0.9  # of the sentence's words, in order, in one source
ABOVE_SHARE = 0.4  # of a word's weight, where the heading or the sentence before names what a source speaks of
NUMBER_WEIGHT = 2.0  # numbers and identifiers are what readers check
MAX_SOURCES = 3
SHORTEST_NAME = 3  # letters; "Я", "Он", "No" are not names

_DIGITS = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Support:
    """A source with the score (0 to 1) it supports a sentence with, and how that was found."""

    source: SourceSentence
    score: float
    verified: Verification


@dataclass(frozen=True, slots=True)
class Bag:
    """The words of a sentence: stems in order, those that are numbers or identifiers, and names as they are written.

    A name is a capitalised word that does not open the sentence; `opening` is the word that does. `forms` leads from
    the stem of another form of a word to the stem of the word.
    """

    stems: tuple[str, ...]
    exact: frozenset[str]
    names: frozenset[str] = frozenset()
    opening: str = ""
    opening_written: str = ""
    forms: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def distinct(self) -> frozenset[str]:
        return frozenset(self.stems)

    def read(self, stems: frozenset[str]) -> frozenset[str]:
        """Return stems with those of this sentence's words whose other forms are among them."""
        return stems.union(*(self.forms[form] for form in self.forms.keys() & stems)) if self.forms else stems


class Sources:
    """The sentences of the passages that the model read, prepared for many comparisons.

    `contexts` tell by the index of a passage what its note says of its subject outside of sentences: title, headings.
    """

    def __init__(self, question: str, sentences: Sequence[SourceSentence], contexts: Mapping[int, str]) -> None:
        self.sentences = tuple(sentences)
        self._bags = [bag_of(sentence.text) for sentence in sentences]
        self._said = [Wording(sentence.text) for sentence in sentences]
        self._titles = {number: bag_of(text).distinct for number, text in contexts.items()}
        self._contexts = dict(self._titles)
        for sentence, bag in zip(sentences, self._bags, strict=True):
            self._contexts[sentence.passage] = self._contexts.get(sentence.passage, frozenset()) | bag.distinct
        asked = bag_of(question)
        self._question = asked.distinct
        self._asked_names = _spelled(asked.names)
        self._names = self._asked_names | _spelled(frozenset[str]().union(*(bag.names for bag in self._bags)))
        self._above = list(self._words_above())
        self._headings = frozenset(_bare(one.text) for one in self.sentences if not one.backs) - {""}
        frequency = Counter(stem for bag in self._bags for stem in bag.distinct)
        self._weights = {stem: math.log(1 + (len(self._bags) + 1) / count) for stem, count in frequency.items()}
        self._unseen = math.log(2 + len(self._bags))

    def lexical(self, sentence: str, offered: Sequence[int]) -> tuple[Support, ...]:
        """Return the sources whose words cover the sentence, best first; empty where they do not.

        `offered` are indices of passages that the model named.
        """
        bag = bag_with_forms(sentence)
        if not bag.stems or not self.holds_exact(bag):
            return ()
        said = Wording(sentence)
        best = self._best(bag, said, frozenset(), offered)
        if best is None or best.score < SECOND_SOURCE_GAIN:
            return ()
        supports = self._with_further(bag, said, best, offered)
        if best.score < LEXICAL_FLOOR and self._covered_by(bag, supports) < JOINT_FLOOR:
            return ()
        return supports if self._holds_together(bag, supports) else ()

    def semantic(self, sentence: str, similarities: Sequence[float]) -> tuple[Support, ...]:
        """Propose the source nearest in meaning, given the cosine to each source: for paraphrase and translation.

        A proposal, which backs nothing by itself: opposites and neighbours are near, too. A sentence that says no word
        more than the question is near to whatever the question is near to: none.
        """
        bag = bag_with_forms(sentence)
        if bag.distinct <= bag.read(self._question):
            return ()
        said = Wording(sentence)
        candidates = [i for i, there in enumerate(self._bags) if there.stems and self._exact_in(bag, i)]
        near = (i for i in candidates if similarities[i] >= SEMANTIC_FLOOR and self._fits(bag, said, i))
        best = max(near, key=lambda i: similarities[i], default=None)
        if best is None:
            return ()
        supports = (Support(self.sentences[best], float(similarities[best]), "semantic"),)
        return supports if self._holds_names(bag, supports) else ()

    def holds_exact(self, bag: Bag) -> bool:
        """Tell whether each number and identifier of the sentence stands in some passage or in the question."""
        known = self._question.union(*self._contexts.values()) if self._contexts else self._question
        return bag.exact <= known

    def repeats_heading(self, sentence: str) -> bool:
        """Tell whether a sentence only repeats a line that backs nothing: a heading, a header row, an embed."""
        return _bare(sentence) in self._headings

    def _words_above(self) -> Iterator[frozenset[str]]:
        """Yield what may name each sentence's subject: title, headings, lead-in, the sentences before that name one.

        A sentence that begins with a name of its own speaks of that.
        """
        passage, heading, lead, named = -1, frozenset[str](), frozenset[str](), frozenset[str]()
        for index, (sentence, bag) in enumerate(zip(self.sentences, self._bags, strict=True)):
            if sentence.passage != passage:
                passage, heading, lead, named = sentence.passage, frozenset(), frozenset(), frozenset()
            title = self._titles.get(passage, frozenset())
            if not sentence.backs:
                is_below = index > 0 and not self.sentences[index - 1].backs
                heading, lead, named = (heading if is_below else frozenset()) | bag.distinct, frozenset(), frozenset()
            before = frozenset[str]() if self._subject(bag) else named
            yield title | heading | lead | before
            if sentence.text.rstrip(" *_").endswith(":"):
                lead = bag.distinct
            if bag.names or self._subject(bag):
                named |= bag.distinct

    def _subject(self, bag: Bag) -> str:
        """Return the name that a sentence begins with, if that is a name elsewhere, too, or looks like nothing else."""
        is_name = _is_coined(bag.opening_written) or not self._names.isdisjoint(_spellings(bag.opening))
        return bag.opening if bag.opening and is_name else ""

    def _fits(self, bag: Bag, said: Wording, index: int) -> bool:
        """Tell whether a source may speak of what the sentence speaks of; only what is plain is refused."""
        if not self.sentences[index].backs:
            return False
        there, line = self._bags[index], self._said[index]
        subject = self._subject(there)
        if subject and not bag.read(frozenset(_spellings(subject))) & bag.distinct:
            known = there.distinct | self._above[index]
            if any(not _spellings(name) & known for name in self._names_of(bag)):
                return False
        if differ_in_unit(said, line) or differ_in_negation(said, line, bag.read):
            return False
        return not (self._is_siblings(bag, index) or self._is_given_to_another(bag, index))

    def _is_siblings(self, bag: Bag, index: int) -> bool:
        """Tell whether a line is labelled with another thing than the sentence, which another line is labelled with."""
        label = self._said[index].label
        asked = bag.distinct | bag.read(self._question) | self._question
        if not label or not bag.read(label).isdisjoint(asked):
            return False
        passage = self.sentences[index].passage
        others = (one.label for one, s in zip(self._said, self.sentences, strict=True) if s.passage == passage)
        return any(other and not other & label and other <= bag.read(other) & bag.distinct for other in others)

    def _is_given_to_another(self, bag: Bag, index: int) -> bool:
        there = self._bags[index]
        asked = bag.exact & there.exact
        if not asked or not there.names:
            return False
        parts = [self._part(bag_of(part)) for part in parts_of_enumeration(self.sentences[index].text)]
        names, words = _spelled(self._names_of(bag)), bag.read(bag.distinct)
        return given_to_another(names, words, asked - self._question, parts)

    def _part(self, bag: Bag) -> EnumeratedPart:
        names = _spelled(self._names_of(bag))
        others = (word for word in bag.distinct - bag.exact - names if not word.startswith("month"))
        return EnumeratedPart(names, bag.exact, frozenset(others))

    def _holds_together(self, bag: Bag, supports: Sequence[Support]) -> bool:
        """Tell whether the sources hold every number and name of the sentence, and not its numbers alone.

        "16 minutes" does not stand on "16 GB", nor Farid's birthday on Lotte's.
        """
        places = self._places(supports)
        said = self._question.union(*(self._bags[i].distinct | self._above[i] for i in places))
        words = bag.distinct - bag.exact
        around = bag.read(frozenset[str]().union(*(self._contexts[s.source.passage] for s in supports)))
        if not bag.exact <= said or (words and not words & around):
            return False
        return self._holds_names(bag, supports)

    def _holds_names(self, bag: Bag, supports: Sequence[Support]) -> bool:
        around = frozenset[str]().union(*(self._bags[i].distinct | self._above[i] for i in self._places(supports)))
        return all(_spellings(name) & around for name in self._names_of(bag))

    def _names_of(self, bag: Bag) -> frozenset[str]:
        """Return the names that a sentence says; its first word is one if that is a name elsewhere, too."""
        subject = self._subject(bag)
        return bag.names | ({subject} if subject else frozenset())

    def _exact_in(self, bag: Bag, index: int) -> bool:
        return bag.exact <= self._contexts[self.sentences[index].passage] | self._question

    def _best(self, bag: Bag, said: Wording, covered: frozenset[str], offered: Sequence[int]) -> Support | None:
        best: Support | None = None
        best_rank = 0.0
        for index, source in enumerate(self.sentences):
            score = self._coverage(bag, index, covered)
            rank = score + (OFFERED_BONUS if source.passage in offered and score > 0 else 0.0)
            if rank > best_rank and self._fits(bag, said, index):
                best, best_rank = Support(source, score, self._how(bag, index)), rank
        return best

    def _coverage(self, bag: Bag, index: int, covered: frozenset[str]) -> float:
        here = bag.read(self._bags[index].distinct)
        above = bag.read(self._above[index])
        total = gained = 0.0
        for word in bag.distinct:
            weight = self._weight(word, bag)
            total += weight
            if word in covered:
                continue
            if word in here:
                gained += weight
            elif word in above:
                gained += weight * ABOVE_SHARE
        return gained / total if total else 0.0

    def _covered_by(self, bag: Bag, supports: Sequence[Support]) -> float:
        """Return the share of the sentence that its sources say together."""
        here = bag.read(frozenset[str]().union(*(self._bags[i].distinct for i in self._places(supports))))
        weights = {word: self._weight(word, bag) for word in bag.distinct}
        return sum(weight for word, weight in weights.items() if word in here) / sum(weights.values())

    def _places(self, supports: Sequence[Support]) -> list[int]:
        return [self.sentences.index(support.source) for support in supports]

    def _weight(self, stem: str, bag: Bag) -> float:
        weight = self._weights.get(stem, self._unseen)
        if stem in bag.exact:
            weight *= NUMBER_WEIGHT
        return weight * QUESTION_WORD_WEIGHT if stem in bag.read(self._question) else weight

    def _with_further(self, bag: Bag, said: Wording, best: Support, offered: Sequence[int]) -> tuple[Support, ...]:
        supports = [best]
        covered = bag.distinct & bag.read(self._bags[self.sentences.index(best.source)].distinct)
        while len(supports) < MAX_SOURCES:
            further = self._best(bag, said, covered, offered)
            if further is None or further.score < SECOND_SOURCE_GAIN or further.source in {s.source for s in supports}:
                break
            supports.append(further)
            covered |= bag.read(self._bags[self.sentences.index(further.source)].distinct)
        return tuple(supports)

    def _how(self, bag: Bag, index: int) -> Verification:
        return "verbatim" if _ordered_share(bag.stems, self._bags[index].stems) >= VERBATIM_SHARE else "lexical"


def bag_of(text: str) -> Bag:
    """Return the meaning-bearing words of a text; numbers and dates of any spelling are equal."""
    said = canonical_numbers(canonical_dates(decoded(without_lead(text))))
    found = [token for token in content_tokens(said) if not token.is_symbol]
    exact = frozenset(token.stem for token in found if _is_exact(token))
    capital = [(token, token.text.lower()) for token in found if _is_name(token)]
    first = next((token.start for token in tokens(said)), 0)
    opening = next((token.text for token, _ in capital if token.start == first), "")
    return Bag(
        tuple(token.stem for token in found),
        exact,
        frozenset(word for token, word in capital if token.start > first),
        opening.lower(),
        opening,
    )


def bag_with_forms(text: str) -> Bag:
    """Return the words of a text as `bag_of` does, and what their other forms are told by: «Павлом» backs «Павел»."""
    bag = bag_of(text)
    forms: dict[str, frozenset[str]] = {}
    for token in content_tokens(without_lead(text)):
        for other in term_of(token.text, token.stem)[1:] if token.stem in bag.distinct else ():
            forms[other] = forms.get(other, frozenset()) | {token.stem}
    return replace(bag, forms=forms)


def _is_name(token: Token) -> bool:
    """Tell a name by its look: `Фарид`, `HashMap`; abbreviations in capitals are words like others."""
    word = token.text
    return len(word) >= SHORTEST_NAME and word.isalpha() and word[0].isupper() and not word.isupper()


def _is_coined(word: str) -> bool:
    """Tell a name that only looks like one: `HashMap`, whatever stands before it."""
    return len(word) > 1 and any(map(str.isupper, word[1:]))


def _spellings(name: str) -> frozenset[str]:
    """Return the stems of a name in both scripts: an English answer may stand on a Russian note."""
    return frozenset({*term_of(name), *(stem(spelled) for spelled in transliterations(name))})


def _spelled(names: Iterable[str]) -> frozenset[str]:
    return frozenset(spelled for name in names for spelled in _spellings(name))


def _is_exact(token: Token) -> bool:
    return not token.text.startswith("month") and (bool(_DIGITS.search(token.text)) or "_" in token.text)


def _ordered_share(short: Sequence[str], long: Sequence[str]) -> float:
    """Return the share of `short` that stands in `long` in the same order (longest common subsequence)."""
    if not short:
        return 0.0
    row = [0] * (len(long) + 1)
    for word in short:
        previous = 0
        for j, other in enumerate(long, 1):
            previous, row[j] = row[j], previous + 1 if word == other else max(row[j], row[j - 1])
    return row[-1] / len(short)


def same_sentence(one: str, other: str) -> bool:
    """Tell whether a model only repeated itself."""
    return _bare(one) == _bare(other)


def _bare(sentence: str) -> str:
    return fold(without_lead(sentence)).strip(" .!?…:-*#_`|")
