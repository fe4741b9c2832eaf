"""Which sentence of which passage a sentence of the answer stands on. Pure; the model's obedience is not needed.

Support is the share of the answer sentence's meaning-bearing words that stand in the source, each weighed by how rare
it is among the sources; what the question already said counts less. A number or an identifier that the sources lack
ends it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vaultrag.answering.citations import SourceSentence, without_lead
from vaultrag.domain import Verification
from vaultrag.text.dates import canonical_dates
from vaultrag.text.entities import decoded
from vaultrag.text.language import Token, content_tokens, fold, stem, tokens
from vaultrag.text.morphology import term_of
from vaultrag.text.numbers import canonical_numbers
from vaultrag.text.transliteration import transliterations

LEXICAL_FLOOR = 0.5  # half of the weighted words: below, two random sentences of one note begin to pass
SEMANTIC_FLOOR = 0.875  # multilingual-e5-small: paraphrases and translations lie above, same-topic neighbours below
SECOND_SOURCE_GAIN = 0.25  # a further source must bring a quarter of the sentence's words
QUESTION_WORD_WEIGHT = 0.35  # repeating the question supports nothing by itself
OFFERED_BONUS = 0.1  # the passage that the model itself named wins near ties
VERBATIM_SHARE = 0.9  # of the sentence's words, in order, in one source
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
    forms: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def distinct(self) -> frozenset[str]:
        return frozenset(self.stems)

    def read(self, stems: frozenset[str]) -> frozenset[str]:
        """Return stems with those of this sentence's words whose other forms are among them."""
        return stems.union(*(self.forms[form] for form in self.forms.keys() & stems)) if self.forms else stems


class Sources:
    """The sentences of the passages that the model read, prepared for many comparisons."""

    def __init__(self, question: str, sentences: Sequence[SourceSentence], contexts: Mapping[int, str]) -> None:
        self.sentences = tuple(sentences)
        self._bags = [bag_of(sentence.text) for sentence in sentences]
        self._contexts = {number: bag_of(text).distinct for number, text in contexts.items()}
        for sentence, bag in zip(sentences, self._bags, strict=True):
            self._contexts[sentence.passage] = self._contexts.get(sentence.passage, frozenset()) | bag.distinct
        asked = bag_of(question)
        self._question, self._asked_names = asked.distinct, asked.names
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
        best = self._best(bag, frozenset(), offered)
        if best is None or best.score < LEXICAL_FLOOR:
            return ()
        supports = self._with_further(bag, best, offered)
        return supports if self._holds_together(bag, supports) else ()

    def semantic(self, sentence: str, similarities: Sequence[float]) -> tuple[Support, ...]:
        """Return the source nearest in meaning, given the cosine to each source; for paraphrase and translation.

        A sentence that says no word more than the question is near to whatever the question is near to: no support.
        """
        bag = bag_with_forms(sentence)
        if bag.distinct <= bag.read(self._question):
            return ()
        candidates = [i for i, bag_there in enumerate(self._bags) if bag_there.stems and self._exact_in(bag, i)]
        best = max(candidates, key=lambda i: similarities[i], default=None)
        if best is None or similarities[best] < SEMANTIC_FLOOR:
            return ()
        supports = (Support(self.sentences[best], float(similarities[best]), "semantic"),)
        return supports if self._holds_names(bag, supports) else ()

    def holds_exact(self, bag: Bag) -> bool:
        """Tell whether each number and identifier of the sentence stands in some passage or in the question."""
        known = self._question.union(*self._contexts.values()) if self._contexts else self._question
        return bag.exact <= known

    def _holds_together(self, bag: Bag, supports: Sequence[Support]) -> bool:
        """Tell whether the sources hold every number and name of the sentence, and not its numbers alone.

        "16 minutes" does not stand on "16 GB", nor Farid's birthday on Lotte's.
        """
        said = frozenset[str]().union(*(self._bags[self.sentences.index(s.source)].distinct for s in supports))
        words = bag.distinct - bag.exact
        around = bag.read(frozenset[str]().union(*(self._contexts[s.source.passage] for s in supports)))
        if not bag.exact <= said | self._question or (words and not words & around):
            return False
        return self._holds_names(bag, supports)

    def _holds_names(self, bag: Bag, supports: Sequence[Support]) -> bool:
        around = frozenset[str]().union(*(self._contexts[s.source.passage] for s in supports))
        names = bag.names | ({bag.opening} & self._asked_names)
        return all(spelled & around for spelled in map(_spellings, names))

    def _exact_in(self, bag: Bag, index: int) -> bool:
        return bag.exact <= self._contexts[self.sentences[index].passage] | self._question

    def _best(self, bag: Bag, covered: frozenset[str], offered: Sequence[int]) -> Support | None:
        best: Support | None = None
        best_rank = -1.0
        for index, source in enumerate(self.sentences):
            score = self._coverage(bag, index, covered)
            rank = score + (OFFERED_BONUS if source.passage in offered and score > 0 else 0.0)
            if rank > best_rank:
                best, best_rank = Support(source, score, self._how(bag, index)), rank
        return best

    def _coverage(self, bag: Bag, index: int, covered: frozenset[str]) -> float:
        here = bag.read(self._bags[index].distinct)
        around = bag.read(self._contexts[self.sentences[index].passage])
        total = gained = 0.0
        for word in bag.distinct:
            weight = self._weight(word, bag)
            total += weight
            if word in covered:
                continue
            if word in here:
                gained += weight
            elif word in around and word not in bag.exact:
                gained += weight * 0.4  # the sentence before, or the heading, names what this one speaks of
        return gained / total if total else 0.0

    def _weight(self, stem: str, bag: Bag) -> float:
        weight = self._weights.get(stem, self._unseen)
        if stem in bag.exact:
            weight *= NUMBER_WEIGHT
        return weight * QUESTION_WORD_WEIGHT if stem in bag.read(self._question) else weight

    def _with_further(self, bag: Bag, best: Support, offered: Sequence[int]) -> tuple[Support, ...]:
        supports = [best]
        covered = bag.distinct & bag.read(self._bags[self.sentences.index(best.source)].distinct)
        while len(supports) < MAX_SOURCES:
            further = self._best(bag, covered, offered)
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
    return Bag(
        tuple(token.stem for token in found),
        exact,
        frozenset(word for token, word in capital if token.start > first),
        next((word for token, word in capital if token.start == first), ""),
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
    """Tell a name by its look: `Фарид`, `Brouwer`; abbreviations in capitals are words like others."""
    return len(token.text) >= SHORTEST_NAME and token.text.isalpha() and token.text.istitle()


def _spellings(name: str) -> frozenset[str]:
    """Return the stems of a name in both scripts: an English answer may stand on a Russian note."""
    return frozenset({*term_of(name), *(stem(spelled) for spelled in transliterations(name))})


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
    return fold(one).strip(" .!?…-*") == fold(other).strip(" .!?…-*")
