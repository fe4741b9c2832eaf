"""What a report shows of a finding: quotes as characters, cut round their values, and the rest counted."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from tests.contradictions.notes import claims_of
from vaultrag.config import shipped
from vaultrag.domain import AsOf, AsOfSource, ClaimFinding, FindingKind, Holder, PairVerdict, ScanStanding
from vaultrag.jobs.report_findings import SHOWN, ClaimNews, FindingBlocks
from vaultrag.records.footnotes import NoteLinks

WHOLE = ScanStanding(claims=2, notes_owed=0, claims_owed=0, not_judged=0, removed=0)
SAID = {"ru": ("и ещё 2: ", "с прежних ночей не решено: 4"), "en": ("and 2 more: ", "open from earlier nights: 4")}


@pytest.fixture(params=["ru", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def blocks_of(language: str) -> FindingBlocks:
    phrases: dict[str, Any] = tomllib.loads(shipped(f"night/{language}.toml").read_text(encoding="utf-8"))
    return FindingBlocks(phrases, NoteLinks("", lambda _: []))


def finding_of(kind: FindingKind = FindingKind.CONTRADICTION, quote: str = "") -> ClaimFinding:
    one, other = claims_of({"Насос.md": "Гарантия на насос: 24 месяца.", "Pump.md": "The pump runs for 3 years."})
    one = replace(one, quote=quote or one.quote)
    return ClaimFinding(one.key + other.key, kind, one, other, PairVerdict.CONTRADICTION, 0.9, "24 / 3.")


def text_of(language: str, findings: list[ClaimFinding], earlier: int = 0) -> str:
    news = ClaimNews(tuple(findings), earlier, WHOLE)
    return "\n".join(line for block in blocks_of(language).blocks(news) for line in block)


@pytest.mark.parametrize(
    "quote",
    [
        "[[Дом]] #тег",
        "![x](file:///etc/passwd)",
        "<script>alert(1)</script>",
        "https://пример.рф/?q=1",
        "| a | `b` | $c$ |",
    ],
)
def test_nothing_of_a_quote_is_markup(language: str, quote: str) -> None:
    text = text_of(language, [finding_of(quote=quote)])
    [line] = [line for line in text.splitlines() if "Pump" not in line and "·" in line]
    shown = line.partition("«" if language == "ru" else "“")[2]
    assert not re.search(r"(?<!\\)(?:[\[\]<`|$#]|:/)", shown)


def test_long_row_is_cut_round_its_value(language: str) -> None:
    text = text_of(language, [finding_of(quote=f"{'начало ' * 200} Гарантия на насос: 24 месяца. {'конец ' * 200}")])
    assert "Гарантия на насос: 24 месяца." in text
    assert len(text) < 1500


def test_what_has_no_room_and_what_is_open_besides_are_counted(language: str) -> None:
    many = [finding_of(quote=f"Гарантия на насос номер {number}: 24 месяца.") for number in range(SHOWN + 2)]
    text = text_of(language, many, earlier=4)
    for said in SAID[language]:
        assert said in text
    assert text.count("24 / 3.") == SHOWN


@pytest.mark.parametrize("kind", list(FindingKind))
def test_each_kind_has_a_callout_of_its_own_and_says_whose_words_they_are(language: str, kind: FindingKind) -> None:
    finding = finding_of(kind)
    finding = replace(
        finding,
        one=replace(
            finding.one, holder=Holder.ASSISTANT, speaker="Qwen3", as_of=AsOf("2025-04-01", "", AsOfSource.TEXT)
        ),
        other=replace(finding.other, holder=Holder.QUOTED, speaker=""),
    )
    text = text_of(language, [finding])
    assert text.count("> [!") == 1
    assert ("ассистент Qwen3" if language == "ru" else "assistant Qwen3") in text
    assert ("с 2025-04-01" if language == "ru" else "since 2025-04-01") in text


def test_what_is_owed_is_told_a_line_each(language: str) -> None:
    owed = blocks_of(language).owed(replace(WHOLE, notes_owed=3, claims_owed=5, not_judged=7))
    assert [next(sign for sign in line if sign.isdigit()) for line in owed] == ["3", "5", "7"]
    assert blocks_of(language).owed(WHOLE) == []


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2024-11-01", "2024-11-30", "2024-11"),
        ("2024-02-01", "2024-02-29", "2024-02"),
        ("2024-02-01", "2024-02-28", "2024-02-01 – 2024-02-28"),
        ("2023-01-01", "2023-12-31", "2023"),
        ("2023-12-01", "2023-12-31", "2023-12"),
        ("2023-05-04", "2023-05-04", "2023-05-04"),
    ],
)
def test_month_and_year_are_said_as_such(language: str, first: str, last: str, said: str) -> None:
    finding = finding_of()
    finding = replace(finding, one=replace(finding.one, as_of=AsOf(first, last, AsOfSource.TEXT)))
    assert f" · {said} · " in text_of(language, [finding])
