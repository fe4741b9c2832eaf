"""No word of a note or of a question stands in a log, at any level, whatever fails while it is worked at."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles import ScriptedModel
from tests.served import Served, serving
from vaultrag.domain import Message, Piece, Priority, Sampling, Scores
from vaultrag.errors import GenerationFailed

pytestmark = pytest.mark.slow
WORD, ASKED = "щъёжак", "зюзюльник"
NOTES = {f"Дом/Клад {WORD}.md": f"# {WORD}\n\nКлад под дубом закопал {WORD} 12 мая 2024 года.\n"}
QUESTION = f"Кто закопал клад под дубом, {ASKED}?"


@dataclass(slots=True)
class FailingModel(ScriptedModel):
    """Fails with all that it was given to read in its message, as a library would."""

    error: type[Exception] = RuntimeError

    def generate(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Piece]:
        yield f"Клад {WORD}"
        raise self._failure(str(messages))

    def score_each(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[str], priority: Priority = Priority.NIGHT
    ) -> list[Scores]:
        raise self._failure(str(conversations))

    def _failure(self, text: str) -> Exception:
        return self.error(text, "Ask again.") if self.error is GenerationFailed else self.error(text)


@dataclass(slots=True)
class Heard:
    """What was logged while it lasts, as it would be written, with its stacks."""

    records: list[logging.LogRecord]

    @property
    def text(self) -> str:
        lines = logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s")
        return "\n".join(f"{lines.format(record)} {record.args}" for record in self.records)


class _Ear(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.NOTSET)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listen to every logger there is, at every level."""
    heard = Heard([])
    ear = _Ear(heard.records)
    loggers = [logging.getLogger(), *(one for one in logging.root.manager.loggerDict.values() if _is_ours(one))]
    before = [(one, one.level) for one in loggers if isinstance(one, logging.Logger)]
    for logger, _ in before:
        logger.setLevel(logging.DEBUG)
        if not logger.propagate or logger is logging.root:
            logger.addHandler(ear)
    yield heard
    for logger, level in before:
        logger.setLevel(level)
        logger.removeHandler(ear)


def _is_ours(logger: object) -> bool:
    return isinstance(logger, logging.Logger) and logger.name.split(".")[0] in {"vaultrag", "uvicorn", "asyncio"}


def provoke(served: Served, mode: str) -> None:
    """Ask, search and send what is wrong, with the words that must not be logged."""
    served.events("/ask", {"question": QUESTION, "mode": mode, "save": True, "chat": ASKED, "style": "prose"})
    with served.http() as http:
        http.post("/search", json={"query": f"{WORD} after:{ASKED} tag:({ASKED}"})
        http.post("/search", json={"query": QUESTION, "k": WORD})
        http.post("/ask", content=f'{{"question": "{ASKED}", "{WORD}": '.encode())
        http.post("/ask", json={"question": QUESTION, "scope": f"path:{ASKED}"})
        http.get(f"/{WORD}/{ASKED}?q={WORD}")
        http.post("/answers/show", json={"id": ASKED})
        http.post("/chats/show", json={"name": WORD})
        http.post("/forget/preview", json={"path": ASKED})
        http.post("/traces/show", json={"id": WORD})
        http.post("/note", json={"path": f"{WORD}.md"})


@pytest.mark.parametrize("mode", ["quick", "deep"])
@pytest.mark.parametrize("error", [RuntimeError, GenerationFailed])
def test_no_log_holds_a_word_of_notes_or_questions(
    tmp_path: Path, heard: Heard, error: type[Exception], mode: str
) -> None:
    with serving(tmp_path, FailingModel(["…"], error=error), notes=NOTES) as served:
        provoke(served, mode)
        (served.config.vault / "Новая.md").write_text(f"Ещё {WORD}.\n", encoding="utf-8")
        served.events("/index", {})
        served.workspace.database.run("UPDATE chunks SET text = text || 'x'")
        served.events("/check/deep", {})
        provoke(served, mode)
    assert "ended with" in heard.text, "the test would hear nothing"
    for word in (WORD, ASKED, "дубом", "картридж", served.token):
        assert word not in heard.text
        assert word.encode("unicode-escape").decode() not in heard.text


def test_ear_hears_at_every_level(heard: Heard) -> None:
    logging.getLogger("vaultrag.server").debug("%s", WORD)
    assert WORD in heard.text
