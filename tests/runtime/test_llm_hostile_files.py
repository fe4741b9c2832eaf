"""Spoilt model files and hostile chat templates: the parent lives, and each one ends in an answer or a clear error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gguf_files import write_shape, write_tiny_model
from tests.hostile_files import SMALL, Base, Loader, loader, mutants, write_bases
from tests.hostile_templates import templates
from vaultrag.domain import Generation, Message, Sampling
from vaultrag.errors import ModelError
from vaultrag.runtime.chat_format.template import Run, TemplateProcess, choose_template
from vaultrag.runtime.gguf.quantisation import Scheme
from vaultrag.runtime.llm import ChildModel

QUESTION = [Message("system", "Отвечай кратко."), Message("user", "Где ключи?")]
FEW_FILES, MANY_FILES = 60, 2000
FEW_TEMPLATES, MANY_TEMPLATES = 20, 200


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> list[Base]:
    return write_bases(tmp_path_factory.mktemp("bases"))


@pytest.fixture
def files() -> Iterator[Loader]:
    with loader() as made:
        yield made


@pytest.fixture
def run() -> Iterator[Run]:
    process = TemplateProcess()
    yield process.run
    process.close()


@pytest.mark.slow
def test_what_is_spoilt_was_sound(bases: list[Base], files: Loader, tmp_path: Path) -> None:
    for base in bases:
        path = tmp_path / f"{base.name}.gguf"
        path.write_bytes(base.header + bytes(base.size - len(base.header)))
        error = files.load(path)
        assert (error is None) == (base.name != "vocabulary"), error


def check_files(bases: list[Base], files: Loader, count: int, seed: int, folder: Path) -> None:
    loaded = refused = 0
    for mutant in mutants(bases, count, seed):
        error = files.load(mutant.write(folder / "mutant.gguf"))
        if error is None:
            loaded += 1
            continue
        refused += 1
        assert isinstance(error, ModelError), mutant.how
        assert error.remedy, mutant.how
        assert "did not answer" not in error.message, mutant.how
        assert "\n" not in error.message, mutant.how
    assert loaded > count // 50
    assert refused > count // 3


@pytest.mark.slow
def test_spoilt_files_load_or_end_in_one_clear_error(bases: list[Base], files: Loader, tmp_path: Path) -> None:
    check_files(bases, files, FEW_FILES, 1, tmp_path)


@pytest.mark.long
def test_many_spoilt_files_load_or_end_in_one_clear_error(bases: list[Base], files: Loader, tmp_path: Path) -> None:
    check_files(bases, files, MANY_FILES, 2, tmp_path)


def check_templates(run: Run, count: int, seed: int) -> None:
    broken = 0
    for source in templates(count, seed):
        chosen = choose_template(source, run=run)
        broken += bool(chosen.warning)
        assert "\n" not in chosen.warning
        assert [part.text for part in chosen.template.render(QUESTION) if not part.control] == [
            message.content for message in QUESTION
        ]
    assert broken > count * 0.9


@pytest.mark.slow
def test_a_model_with_a_hostile_template_can_be_used_all_the_same(run: Run) -> None:
    check_templates(run, FEW_TEMPLATES, 1)


@pytest.mark.long
def test_a_model_with_any_of_many_hostile_templates_can_be_used_all_the_same(run: Run) -> None:
    check_templates(run, MANY_TEMPLATES, 2)


@pytest.mark.slow
def test_a_worker_answers_with_a_hostile_template_in_its_file(tmp_path: Path) -> None:
    source = random.Random(3).choice([source for source in templates(30, 3) if "range(99999)" in source])
    model = ChildModel(
        "hostile", write_tiny_model(tmp_path / "m.gguf", template=source), context=256, threads=1, gpu_layers=0,
        spin_count=1000, timeout=60.0,
    )  # fmt: skip
    *_, last = model.generate(QUESTION, Sampling(max_tokens=3))
    assert isinstance(last, Generation)
    assert last.completion_tokens == 3
    assert "ChatML" in model.load().warning
    model.close()


def test_a_model_without_a_vocabulary_is_refused_in_one_sentence(tmp_path: Path, files: Loader) -> None:
    error = files.load(write_shape(tmp_path / "silent.gguf", replace(SMALL, vocabulary=256), Scheme.F16))
    assert error is not None
    assert "has no vocabulary" in error.message
