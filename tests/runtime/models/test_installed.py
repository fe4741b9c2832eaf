"""The catalogue, and what is known of a model without fetching it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vaultrag.errors import ConfigError, ModelNotFound
from vaultrag.runtime.models.catalogue import (
    HubSource,
    ModelEntry,
    ModelKind,
    WheelSource,
    find_model,
    load_catalogue,
    read_catalogue,
)
from vaultrag.runtime.models.installed import fingerprint, is_present, model_path, require_model, verify
from vaultrag.runtime.models.manifest import write_manifest

SPLIT = "m-00001-of-00002.gguf"
SMALL = ("qwen2.5-coder-1.5b-instruct", "qwen2.5-coder-0.5b-instruct", "multilingual-e5-small")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def install_by_hand(models: Path, name: str = SMALL[0], content: bytes = b"GGUF weights") -> ModelEntry:
    entry = load_catalogue(models)[name]
    path = model_path(entry, models)
    path.parent.mkdir()
    path.write_bytes(content)
    write_manifest(path.parent, entry.sources[-1].origin, {})
    return entry


def hub_of(digit: str, file: str = "m.gguf") -> str:
    return f"{{type='huggingface', repo='me/mine', file='{file}', sha256='{digit * 64}'}}"


def test_an_own_catalogue_may_name_one_source_or_several(models: Path) -> None:
    path = models / "models.toml"
    head = "[[model]]\nname = 'x'\nkind = 'chat'\n"
    path.write_text(f"{head}source = {hub_of('a')}", encoding="utf-8")
    old = read_catalogue(path)["x"]
    path.write_text(f"{head}sources = [{hub_of('a')}]", encoding="utf-8")
    assert read_catalogue(path)["x"] == old
    path.write_text(f"{head}[model.source]\ntype = 'huggingface'\nrepo = 'me/mine'\nfile = 'm.gguf'", encoding="utf-8")
    assert [source.origin for source in read_catalogue(path)["x"].sources] == [source.origin for source in old.sources]
    path.write_text(f"{head}sources = [{hub_of('a')}, {hub_of('a').replace('mine', 'mirror')}]", encoding="utf-8")
    assert [isinstance(source, HubSource) for source in read_catalogue(path)["x"].sources] == [True, True]


def gguf(path: Path, content: bytes = b"GGUF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_shipped_catalogue_holds_the_small_models_with_checksums(models: Path) -> None:
    catalogue = load_catalogue(models)
    for name in SMALL:
        source = catalogue[name].sources[-1]
        assert isinstance(source, WheelSource)
        assert all(len(file.sha256) == 64 for file in source.files)
        for file in source.files:
            assert sum(file.size_of(part) for part in range(1, file.parts + 1)) == file.bytes
            assert all(file.size_of(part) > 0 for part in range(1, file.parts + 1))


def test_every_shipped_entry_says_what_a_person_asks(models: Path) -> None:
    for entry in load_catalogue(models).values():
        assert "" not in (entry.licence, entry.description), entry.name
        assert min(entry.bytes, entry.context) > 0, entry.name
        assert entry.roles, entry.name
        source = entry.sources[0]
        if isinstance(source, HubSource) and entry.kind is ModelKind.CHAT:
            assert source.file.endswith(".gguf")
            assert entry.quant.lower() in source.file.lower()
            assert entry.sampling or entry.thinking_sampling or entry.shy, entry.name


def test_a_split_file_stands_for_its_parts() -> None:
    split = HubSource("huggingface", "me/model", "Q4/Big-00001-of-00003.gguf")
    assert split.files == tuple(f"Q4/Big-0000{part}-of-00003.gguf" for part in (1, 2, 3))
    assert HubSource("huggingface", "me/model", "One.gguf").files == ("One.gguf",)
    assert HubSource("huggingface", "me/model").files == ()


@pytest.mark.parametrize("file", ["../x.gguf", "/x.gguf", "a/../x.gguf", "a//x.gguf", ".x.gguf"])
def test_a_file_outside_its_repository_is_refused(tmp_path: Path, file: str) -> None:
    path = tmp_path / "models.toml"
    source = f"{{type='huggingface', repo='me/model', file='{file}'}}"
    path.write_text(f"[[model]]\nname = 'x'\nkind = 'chat'\nsource = {source}", encoding="utf-8")
    with pytest.raises(ConfigError, match="source"):
        read_catalogue(path)


def test_own_catalogue_adds_and_replaces(models: Path) -> None:
    (models / "models.toml").write_text(
        """
        [[model]]
        name = "моя"
        kind = "chat"
        source = { type = "path", path = "/x.gguf" }
        """.replace("моя", "mine")
        + """
        [[model]]
        name = "qwen3-8b"
        kind = "chat"
        description = "другая"
        source = { type = "huggingface", repo = "me/mine", file = "m.gguf" }
        """,
        encoding="utf-8",
    )
    catalogue = load_catalogue(models)
    assert model_path(catalogue["mine"], models) == Path("/x.gguf")
    assert catalogue["qwen3-8b"].description == "другая"
    assert SMALL[2] in catalogue


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[model]", "cannot be read"),
        ("[[models]]\nname = 'x'", "models"),
        ("[[model]]\nname = 'x'\nkind = 'chat'\nsource = {type='path', path='y'}\nlicense = 'MIT'", "license"),
        ("[[model]]\nname = '../x'\nkind = 'chat'\nsource = {type='path', path='y'}", "name"),
        ("[[model]]\nname = 'x'\nkind = 'chat'\nsource = {type='ftp', path='y'}", "source"),
        ("[[model]]\nname = 'x'\nkind = 'talk'\nsource = {type='path', path='y'}", "kind"),
        ("[[model]]\nname = 'x'\nkind = 'chat'\nsource = {type='path', path='y'}\n" * 2, "x twice"),
        ("[[model]]\nname = 'x'\nkind = 'chat'\nsources = []", "sources"),
        ("[[model]]\nname = 'x'\nkind = 'chat'\nsource = {type='path', path='y'}\nsources = []", "one of them"),
        (
            f"[[model]]\nname = 'x'\nkind = 'chat'\nsources = [{hub_of('a')}, {{type='path', path='y'}}]",
            "only one of its",
        ),
        (f"[[model]]\nname = 'x'\nkind = 'chat'\nsources = [{hub_of('a')}, {hub_of('b')}]", "other checksums"),
        (f"[[model]]\nname = 'x'\nkind = 'chat'\nsources = [{hub_of('a')}, {hub_of('a', SPLIT)}]", "other files"),
    ],
)
def test_faulty_catalogue_is_refused_with_the_place(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=named):
        read_catalogue(path)


def test_unknown_name_is_answered_with_the_nearest(models: Path) -> None:
    with pytest.raises(ModelNotFound, match="`qwen3-32b`"):
        find_model("Qwen3-32", ModelKind.CHAT, models)


def test_model_of_the_other_kind_is_refused(models: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_model("qwen3-8b", "embed", models)
    assert "multilingual-e5-small" in caught.value.remedy


def test_path_to_a_gguf_file_is_a_model(tmp_path: Path, models: Path) -> None:
    path = gguf(tmp_path / "Мои модели" / "Some Model Q4.gguf")
    entry = find_model(str(path), ModelKind.CHAT, models)
    assert entry.name == "some-model-q4"
    assert require_model(entry, models) == path
    assert verify(entry, models) == []


def test_path_to_a_split_file_stands_for_all_its_parts(tmp_path: Path, models: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"big-{number:05}-of-00002.gguf").write_bytes(b"x" * 10 * number)
    first = tmp_path / "big-00001-of-00002.gguf"
    entry = find_model(str(first), ModelKind.CHAT, models)
    assert (entry.bytes, require_model(entry, models)) == (30, first)
    before = fingerprint(entry, first)
    (tmp_path / "big-00002-of-00002.gguf").write_bytes(b"y" * 20)
    assert fingerprint(entry, first) != before


def test_missing_path_is_one_clear_sentence(tmp_path: Path, models: Path) -> None:
    entry = find_model(str(tmp_path / "gone.gguf"), ModelKind.CHAT, models)
    with pytest.raises(ModelNotFound, match="There is no model file"):
        require_model(entry, models)
    with pytest.raises(ModelNotFound, match="sentence-transformers folder"):
        require_model(find_model(str(tmp_path), ModelKind.EMBED, models), models)


def test_model_that_was_not_pulled_names_the_command(models: Path) -> None:
    entry = load_catalogue(models)[SMALL[0]]
    assert not is_present(entry, models)
    with pytest.raises(ModelNotFound) as caught:
        require_model(entry, models)
    assert caught.value.remedy == f"Run: vaultrag models pull {SMALL[0]}"


def test_file_without_manifest_is_not_present(models: Path) -> None:
    entry = load_catalogue(models)[SMALL[0]]
    gguf(model_path(entry, models))
    assert not is_present(entry, models)


def test_shortened_file_is_noticed_without_reading_it(models: Path) -> None:
    entry = install_by_hand(models)
    assert is_present(entry, models)
    os.truncate(model_path(entry, models), 5)
    with pytest.raises(ModelNotFound, match="5 of 12 bytes"):
        require_model(entry, models)


def test_verify_finds_one_flipped_byte(models: Path) -> None:
    entry = install_by_hand(models)
    assert verify(entry, models) == []
    model_path(entry, models).write_bytes(b"GGUF wEights")
    (finding,) = verify(entry, models)
    assert "model.gguf" in finding.detail
    assert f"vaultrag models pull {entry.name}" in finding.remedy


def test_model_of_an_older_catalogue_is_asked_for_again(models: Path) -> None:
    entry = install_by_hand(models)
    write_manifest(models / entry.name, "wheels of another version", {})
    with pytest.raises(ModelNotFound, match="not the one that the catalogue now names"):
        require_model(entry, models)


def test_fingerprint_follows_content_not_place(tmp_path: Path) -> None:
    prints = set()
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        folder = tmp_path / name
        folder.mkdir()
        entry = install_by_hand(folder, content=content)
        prints.add((content, fingerprint(entry, require_model(entry, folder))))
    assert len(prints) == 2
    assert len({value for _, value in prints}) == 2


def test_fingerprint_of_a_huge_local_file_reads_its_ends_only(tmp_path: Path, models: Path) -> None:
    path = gguf(tmp_path / "huge.gguf")
    os.truncate(path, 60 << 30)  # sparse; reading it all would take minutes
    entry = find_model(str(path), ModelKind.CHAT, models)
    before = fingerprint(entry, path)
    assert fingerprint(entry, path) == before
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    assert fingerprint(entry, path) != before


def test_fingerprint_of_a_local_folder_ignores_its_readme(tmp_path: Path, models: Path) -> None:
    folder = tmp_path / "e5"
    gguf(folder / "modules.json", b"[]")
    entry = find_model(str(folder), ModelKind.EMBED, models)
    before = fingerprint(entry, folder)
    gguf(folder / "README.md", b"# words")
    assert fingerprint(entry, folder) == before
    gguf(folder / "1_Pooling" / "config.json", b"{}")
    assert fingerprint(entry, folder) != before


@pytest.mark.models
def test_pulled_models_are_whole(models_dir: Path) -> None:
    for name in SMALL:
        assert verify(load_catalogue(models_dir)[name], models_dir) == []
