"""Findings over HTTP: the list with how far the scan is, and what is decided."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contradictions.disagreeing import HUT, NOTES, OTHERS, SHED
from tests.served import Served, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    others = {f"Others/{number}.md": f"{said}\n" for number, said in enumerate(OTHERS)}
    with serving(tmp_path_factory.mktemp("served"), notes={**NOTES, **others}) as running:
        yield running


def test_list_says_that_nothing_was_compared_and_then_what_was_found(served: Served) -> None:
    with served.http() as http:
        before = http.get("/contradictions").json()
        assert before["findings"] == []
        assert before["standing"]["notes_owed"] > 0
        served.workspace.findings.extract()
        served.workspace.findings.compare()
        found = http.get("/contradictions").json()
        assert [one["kind"] for one in found["findings"]] == ["contradiction", "contradiction", "superseded"]
        assert found["standing"]["claims_owed"] == 0
        key = next(one["key"] for one in found["findings"] if HUT in (one["one"]["path"], one["other"]["path"]))
        decided = http.post("/contradictions/decide", json={"key": key[:8], "state": "dismissed", "note": "тропа"})
        assert (decided.json()["open"], decided.json()["decided"]["note"]) == (False, "тропа")
        assert http.get("/contradictions").json()["decided"] == 1
        assert len(http.get("/contradictions", params={"everything": True}).json()["findings"]) == 3
        again = http.post("/contradictions/decide", json={"key": key, "state": "open"}).json()
        assert (again["open"], again["decided"]) == (True, None)


@pytest.mark.parametrize(
    "body",
    [
        {"key": "", "state": "dismissed"},
        {"key": "ключ", "state": "dismissed"},
        {"key": "a", "state": "maybe"},
        {"key": "a", "state": "snoozed", "until": "soon"},
        {"key": "a", "state": "dismissed", "extra": 1},
    ],
)
def test_what_makes_no_sense_is_refused(served: Served, body: dict[str, object]) -> None:
    with served.http() as http:
        answered = http.post("/contradictions/decide", json=body)
    assert answered.status_code in (400, 422)
    assert answered.json()["message"]


def test_answer_over_http_carries_its_findings(served: Served) -> None:
    served.workspace.findings.extract()
    served.workspace.findings.compare()
    events = served.events("/ask", {"question": "Где ключ от сарая?", "style": "quotes"})
    name, answer = events[-1]
    assert name == "answer"
    findings = answer["findings"]
    assert isinstance(findings, list)
    assert any(SHED in (one["one"]["path"], one["other"]["path"]) for one in findings)
