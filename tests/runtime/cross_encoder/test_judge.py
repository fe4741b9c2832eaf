"""The judge of contradictions: opened by the settings, whole or told, and right about plain pairs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runtime.cross_encoder.small_networks import CLASSES, write_base, write_network
from vaultrag.config import Config, Settings
from vaultrag.errors import ConfigError, ModelError, ModelNotFound
from vaultrag.runtime.cross_encoder.judge import CrossEncoderJudge, open_judge, open_judge_named
from vaultrag.runtime.cross_encoder.model import ChildCrossEncoder
from vaultrag.runtime.models.catalogue import load_catalogue
from vaultrag.runtime.models.manifest import write_manifest

PAIRS = [("яблоня сад", "порт nginx"), ("apple", "яблоня"), ("порт", "порт")]


def config_with(models: Path, scan: str) -> Config:
    settings = Settings()
    roles = settings.roles.model_copy(update={"scan": scan})
    return Config(
        vault=models, home=models / "home", models=models, settings=settings.model_copy(update={"roles": roles})
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("e5"))


def network_with(base: Path, classes: tuple[str, ...]) -> ChildCrossEncoder:
    path = base.parent / f"{classes[-1]}.safetensors"
    write_network(path, base, classes=classes)
    return ChildCrossEncoder("small", path, base, "small", threads=1)


def test_what_either_direction_says_counts(base: Path) -> None:
    network = network_with(base, CLASSES)
    try:
        judged = CrossEncoderJudge(network).judge_pairs(PAIRS)
        for direction in (PAIRS, [(b, a) for a, b in PAIRS]):
            for row, one in zip(network.classify(direction), judged, strict=True):
                assert one.contradiction >= row[2] - 0.03
                assert one.entailment >= row[0] - 0.03
        turned = CrossEncoderJudge(network).judge_pairs([(b, a) for a, b in PAIRS])
        assert [round(one.contradiction, 1) for one in turned] == [round(one.contradiction, 1) for one in judged]
    finally:
        network.close()


def test_a_network_of_other_classes_is_no_judge(base: Path) -> None:
    network = network_with(base, ("other", "answers"))
    try:
        with pytest.raises(ModelError, match="does not say entailment and contradiction, but other, answers"):
            CrossEncoderJudge(network).judge_pairs(PAIRS)
    finally:
        network.close()


def test_no_judge_is_named_where_the_role_is_empty(tmp_path: Path) -> None:
    assert open_judge(config_with(tmp_path, "")) is None


def test_a_judge_that_was_not_fetched_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as error:
        open_judge(config_with(tmp_path, "mdeberta-v3-base-mnli-xnli"))
    assert error.value.remedy == "Run: vaultrag models pull mdeberta-v3-base-mnli-xnli"


def test_a_model_of_another_kind_is_no_judge(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kind `judge` is needed"):
        open_judge(config_with(tmp_path, "multilingual-e5-small"))


def install_embedder(models: Path, content: Path) -> None:
    """Put a small embedder where the catalogue's lies."""
    entry = load_catalogue(models)["multilingual-e5-small"]
    shutil.copytree(content, models / entry.name)
    write_manifest(models / entry.name, entry.sources[-1].origin, {})


def test_a_file_stands_on_the_embedder_that_it_was_made_for(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "judge.safetensors"
    write_network(path, base)
    install_embedder(tmp_path, base)
    judge = open_judge(config_with(tmp_path, str(path)))
    assert judge is not None
    try:
        assert len(judge.judge_pairs(PAIRS)) == len(PAIRS)
        other = tmp_path / "other.safetensors"
        other.write_bytes(path.read_bytes())
        assert open_judge_named(str(other), config_with(tmp_path, "")).fingerprint != judge.fingerprint
    finally:
        judge.close()


def test_a_file_without_its_embedder_is_one_sentence_with_a_remedy(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "judge.safetensors"
    write_network(path, base)
    with pytest.raises(
        ModelNotFound, match=r"^The embedding model that judge\.safetensors was made for is not on"
    ) as error:
        open_judge(config_with(tmp_path, str(path)))
    assert "vaultrag models pull multilingual-e5-small" in error.value.remedy
    install_embedder(tmp_path, base)
    weights = tmp_path / "multilingual-e5-small" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[::-1])  # another file of the same length
    write_manifest(weights.parent, load_catalogue(tmp_path)["multilingual-e5-small"].sources[-1].origin, {})
    with pytest.raises(ModelNotFound):
        open_judge(config_with(tmp_path, str(path)))


def test_a_damaged_or_missing_file_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "judge.safetensors"
    with pytest.raises(ModelNotFound, match="neither a judge's file nor the folder of one"):
        open_judge(config_with(tmp_path, str(path)))
    path.write_bytes(b"nonsense")
    with pytest.raises(
        ModelError, match=r"^judge\.safetensors is not the file of a network that reads pairs\.$"
    ) as error:
        open_judge(config_with(tmp_path, str(path)))
    assert "scripts/train-judge" in error.value.remedy
