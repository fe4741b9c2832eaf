"""A small vault with notes that belong to one another, in Russian and in English, to be analysed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.doubles import HashEmbedder
from vaultrag.config import Config, Settings
from vaultrag.domain import Analysis, AnalysisReady, ChatModel, unwatched
from vaultrag.indexing.apply import DeletionPolicy
from vaultrag.reanalysis.report import analysis_markdown
from vaultrag.records.reports import links_from
from vaultrag.runtime.pool import ModelPool
from vaultrag.workspace import Ownership, Workspace
from vaultrag.workspace.analysing import AnalysisRequest, analyse_note

BOILER, METER, MASTER, DIARY = "Дом/Бойлер.md", "Дом/Счётчик.md", "Люди/Темур.md", "Журнал/Март.md"
BACKUP, DISK, RUNBOOK = "Servers/Backups.md", "Servers/Disk.md", "Servers/Restore.md"
NOTES = {
    BOILER: "# Бойлер\n\nПроблема и задача: бойлер стал греть воду вдвое дольше, чем осенью прошлого года.\n\n"
    "Счета за свет выросли, цифры лежат в [[Счётчик]]. Мастера зовут [[Темур]].\n\n"
    "## Дальше\n\n- [ ] купить магниевый анод 22×200 и заменить старый\n",
    METER: "# Счётчик\n\nВ феврале бойлер намотал 214 кВт·ч, это на 43 больше, чем в январе.\n",
    MASTER: "# Темур\n\nМастер Темур ставил нам бойлер в 2022 году и берёт за выезд 60 лари.\n",
    DIARY: "# Март\n\nПосле промывки [[Бойлер|бойлера]] от накипи вода стала нагреваться за сорок минут.\n",
    BACKUP: "# Backups\n\nThe problem: nobody has ever tried to restore the nightly backup of the photo archive.\n\n"
    "The copy goes to the disk described in [[Disk]].\n\n"
    "## Plan\n\nThe next step is a restore drill in May, by the list in [[Restore]].\n",
    DISK: "# Disk\n\nThe backup disk failed once in August and lost three days of photos.\n",
    RUNBOOK: "# Restore\n\nA restore of the whole photo archive took 3 h 12 min on the old machine.\n",
    **{
        f"Разное/{day:02}.md": f"# День {day}\n\nНичего особенного, дождь, письма и прогулка номер {day}.\n"
        for day in range(1, 13)
    },
    **{
        f"Other/{day:02}.md": f"# Page {day}\n\nNothing much, rain again, and letter number {day} was posted.\n"
        for day in range(1, 13)
    },
}


@contextmanager
def opened(
    folder: Path,
    model: ChatModel | None = None,
    notes: Mapping[str, str] = NOTES,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Workspace]:
    """Write the notes, index them, and open the vault until the block ends."""
    config = Config(
        vault=folder / "vault",
        home=folder / "home",
        models=folder / "models",
        settings=Settings.model_validate(settings or {}),
    )
    for path, text in notes.items():
        (config.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (config.vault / path).write_text(text, encoding="utf-8")
    with Workspace(config, Ownership.OWN, ModelPool.given(config, HashEmbedder(), model)) as workspace:
        workspace.index(unwatched, DeletionPolicy.GUARD)
        yield workspace


def analysed(workspace: Workspace, request: AnalysisRequest) -> Analysis:
    """Return the analysis of a note."""
    *_, last = analyse_note(workspace, request)
    assert isinstance(last, AnalysisReady)
    return last.analysis


def markdown(workspace: Workspace, analysis: Analysis) -> str:
    return analysis_markdown(analysis, links_from(workspace.config, workspace.database, Path("analysis.md")))
