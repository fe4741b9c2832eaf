"""The catalogue of models: what `config/models.toml`, a user's own `models.toml` and plain paths name."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from vaultrag.config import models_dir as default_models_dir
from vaultrag.config import shipped
from vaultrag.domain import Role
from vaultrag.errors import ConfigError, ModelNotFound
from vaultrag.runtime.gguf.header import split_paths
from vaultrag.runtime.models.sampling_advice import USUAL_THOUGHT, Advice, Recommended

CATALOGUE_NAME = "models.toml"
GGUF_NAME = "model.gguf"  # a model of one file; the parts of a larger one keep the names that llama.cpp looks for
_PARTS = re.compile(r"-00001-of-([0-9]{5})\.gguf$")
CONVERSIONS = {"": 0, "e5s1": 1}  # version of each conversion's result; raise it when that changes
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]  # becomes a folder's name
FileName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelKind(StrEnum):
    CHAT = "chat"
    EMBED = "embed"
    RERANK = "rerank"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class Prompts:
    """What an embedder wants before a question and before a passage."""

    query: str = ""
    passage: str = ""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class WheelFile:
    """One file, cut into the wheels of `parts` packages. `{n}` in `package` and `member` is the part's number.

    Every part but the last holds `part_bytes` bytes, so that a half-fetched file can be continued.
    """

    name: FileName
    sha256: Sha256
    bytes: Annotated[int, Field(gt=0)]
    package: str
    version: str
    member: str
    parts: Annotated[int, Field(gt=0)] = 1
    part_bytes: int = 0

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def size_of(self, part: int) -> int:
        """Return how many bytes part number `part` (from 1) holds."""
        if self.parts == 1:
            return self.bytes
        return self.part_bytes if part < self.parts else self.bytes - self.part_bytes * (self.parts - 1)


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Files inside wheels of the Python package index: data only, read as zip files, never installed."""

    type: Literal["wheels"]
    files: tuple[WheelFile, ...]
    conversion: Literal["", "e5s1"] = ""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def sums(self) -> frozenset[str]:
        """The SHA-256 of what is installed, where the catalogue knows it: a conversion makes other files."""
        return frozenset() if self.conversion else frozenset(file.sha256 for file in self.files)

    @property
    def origin(self) -> str:
        sums = "+".join(file.sha256 for file in self.files)
        return f"wheels {sums} conversion {self.conversion or 'none'}-{CONVERSIONS[self.conversion]}"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a Hugging Face repository, or with an empty `file` its folder of safetensors and tokenizer.

    A `file` that ends in `-00001-of-0000N.gguf` stands for all its N parts.
    """

    type: Literal["huggingface"]
    repo: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    file: Annotated[str, Field(pattern=r"^$|^(?:[A-Za-z0-9][\w.-]*/)*[A-Za-z0-9][\w.-]*$")] = ""
    revision: str = "main"
    sha256: Sha256 | Literal[""] = ""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def files(self) -> tuple[str, ...]:
        """The files to fetch, as the repository names them; none for a folder."""
        if not self.file:
            return ()
        split = _PARTS.search(self.file)
        if split is None:
            return (self.file,)
        stem = self.file[: split.start()]
        return tuple(f"{stem}-{part:05}-of-{split[1]}.gguf" for part in range(1, int(split[1]) + 1))

    @property
    def sums(self) -> frozenset[str]:
        return frozenset({self.sha256} - {""})

    @property
    def origin(self) -> str:
        return f"huggingface {self.repo} {self.file or 'folder'} {self.revision}"


@dataclass(frozen=True, slots=True)
class PathSource:
    """A model that lies on this machine already."""

    type: Literal["path"]
    path: Path

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def sums(self) -> frozenset[str]:
        return frozenset()

    @property
    def origin(self) -> str:
        return f"path {self.path}"


Source: TypeAlias = Annotated[WheelSource | HubSource | PathSource, Field(discriminator="type")]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. `bytes` is its size on disk, `download_bytes` what is fetched (0: the same); both may be rounded.

    `context` 0 means: as the file says. `thinking` names the chat template's variable that switches thinking, or is
    `always`. `shy` models say that the notes hold nothing even where they do: they are not offered that way out.
    `roles` are what it is good for, `sampling` and `thinking_sampling` what its makers advise without and with thought.
    `sources` are tried in their order and hold the same bytes. `strength` orders the general models by how good their
    answers are in Russian and English (0: never recommended). `instead` names a model of other bytes for the same work.
    """

    name: Name
    kind: ModelKind
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    bytes: int = 0
    download_bytes: int = 0
    licence: str = ""
    context: int = 0
    description: str = ""
    prompts: Prompts = Prompts()
    thinking: Literal["", "enable_thinking", "always"] = ""
    shy: bool = False
    quant: str = ""
    roles: tuple[Role, ...] = ()
    sampling: Recommended | None = None
    thinking_sampling: Recommended | None = None
    strength: Annotated[int, Field(ge=0)] = 0
    instead: str = ""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def local_path(self) -> Path | None:
        """Where the model lies already, if that is its source."""
        return self.sources[0].path if isinstance(self.sources[0], PathSource) else None

    @property
    def origins(self) -> frozenset[str]:
        """What a manifest of this model may say about where it came from."""
        return frozenset(source.origin for source in self.sources)

    @property
    def advice(self) -> Advice:
        """Sampling as its makers advise it."""
        return Advice(self.sampling, self.thinking_sampling or USUAL_THOUGHT)

    @property
    def to_fetch(self) -> int:
        return self.download_bytes or self.bytes

    @property
    def gguf_name(self) -> str:
        """The file in the model's folder that llama.cpp is given: the only one, or the first part."""
        return _gguf_name(self.sources[0])


def _gguf_name(source: Source) -> str:
    files = source.files if isinstance(source, HubSource) else ()
    return PurePosixPath(files[0]).name if len(files) > 1 else GGUF_NAME


def _with_sources(table: Any) -> Any:
    """Read `source`, the one of older files, as the first of `sources`."""
    if not isinstance(table, dict) or "source" not in table:
        return table
    if "sources" in table:
        raise ValueError("it has `source` and `sources`: one of them is enough")
    rest = {key: value for key, value in table.items() if key != "source"}
    return {**rest, "sources": [table["source"]]}


def _of_one_model(entry: ModelEntry) -> ModelEntry:
    """Refuse sources that can't hold the same bytes: what has others is a model of its own."""
    if len(entry.sources) > 1 and any(isinstance(source, PathSource) for source in entry.sources):
        raise ValueError("a `path` is the only one of its sources")
    if len({_gguf_name(source) for source in entry.sources}) > 1:
        raise ValueError("its sources hold other files: each needs an entry of its own")
    if len({source.sums for source in entry.sources if source.sums}) > 1:
        raise ValueError("its sources have other checksums: each needs an entry of its own")
    return entry


@dataclass(frozen=True, slots=True)
class _File:
    model: tuple[Annotated[ModelEntry, BeforeValidator(_with_sources), AfterValidator(_of_one_model)], ...]

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@cache
def _file_form() -> TypeAdapter[_File]:
    """Return what reads catalogue files; it takes longer to make than to read one."""
    return TypeAdapter(_File)


def load_catalogue(models_dir: Path | None = None) -> dict[str, ModelEntry]:
    """Return the shipped entries and those of the models folder's own `models.toml`, which win, by name."""
    own = (models_dir or default_models_dir()) / CATALOGUE_NAME
    return {**read_catalogue(shipped(CATALOGUE_NAME)), **(read_catalogue(own) if os.path.isfile(own) else {})}


def read_catalogue(path: Path) -> dict[str, ModelEntry]:
    """Read one catalogue file. Raises ConfigError that names all faults at once."""
    remedy = "Correct the file; config/models.toml shows the form."
    try:
        entries = _file_form().validate_python(tomllib.loads(path.read_text(encoding="utf-8-sig"))).model
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The model catalogue {path} cannot be read: {error}.", remedy) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}" for fault in error.errors())
        raise ConfigError(f"The model catalogue {path} has faults: {faults}.", remedy) from error
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"The model catalogue {path} names {', '.join(twice)} twice.", remedy)
    return dict(zip(names, entries, strict=True))


def find_model(name_or_path: str, kind: ModelKind | str, models_dir: Path | None = None) -> ModelEntry:
    """Return the catalogue's entry of this name, or one for a path to a GGUF file or a sentence-transformers folder.

    Raises ModelNotFound for an unknown name, ConfigError for a model of the other kind.
    """
    kind = ModelKind(kind)
    if _looks_like_path(name_or_path):
        return _local(Path(os.path.abspath(os.path.expanduser(name_or_path))), kind)
    catalogue = load_catalogue(models_dir)
    entry = catalogue.get(name_or_path)
    if entry is None:
        raise _unknown(name_or_path, kind, catalogue)
    if entry.kind is not kind:
        raise ConfigError(
            f"{entry.name} is a model of kind `{entry.kind}`, and one of kind `{kind}` is needed.",
            f"Name one of: {', '.join(_names(catalogue, kind))}.",
        )
    return entry


def _looks_like_path(text: str) -> bool:
    return text.endswith(".gguf") or text.startswith("~") or any(sep in text for sep in (os.sep, "/", os.altsep or "/"))


def _local(path: Path, kind: ModelKind) -> ModelEntry:
    name = re.sub(r"[^a-z0-9._-]+", "-", path.name.removesuffix(".gguf").lower()).strip("-._") or "model"
    size = sum(os.path.getsize(part) for part in split_paths(path) if os.path.isfile(part))
    return ModelEntry(name=name, kind=kind, sources=(PathSource("path", path),), bytes=size, description="local path")


def _unknown(name: str, kind: ModelKind, catalogue: Mapping[str, ModelEntry]) -> ModelNotFound:
    nearest = difflib.get_close_matches(name.lower(), _names(catalogue, kind), n=1, cutoff=0.3)
    hint = f" The nearest is `{nearest[0]}`." if nearest else ""
    return ModelNotFound(
        f"No model is called `{name}`.{hint}",
        "`vaultrag models list` shows the known ones; a path to a GGUF file or a model folder works too.",
    )


def _names(catalogue: Mapping[str, ModelEntry], kind: ModelKind) -> list[str]:
    return [name for name, entry in catalogue.items() if entry.kind is kind]
