"""Templates of analyses: Markdown files whose front matter says what is asked of a note, and what makes it due again.

Those in `config/analyses/` come with VaultRAG; the user's lie in the folder `analyses` of the home, and one of the same
name goes before ours.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from vaultrag.config import Config, shipped
from vaultrag.errors import ConfigError, UsageError
from vaultrag.retrieval.filters import parse_scope
from vaultrag.vault.parsing.frontmatter import read_frontmatter

FOLDER = "analyses"
USUAL_TEMPLATE = "problem"
MOST_BYTES = 256_000  # of a template: a page is a hundredth of it
MOST_SECTIONS = 8  # more is a book, and hours of a small model's work
MOST_NOTES = 20  # of a section's list
LANGUAGES = ("ru", "en")
DAYS = re.compile(r"(\d{1,4}) days?")
CHANGED, LINKED_CHANGED = "changed", "linked note changed"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_KNOWN = frozenset({"note", "title"})


def _forms(value: object) -> object:
    """Take one text for all languages as the form of each."""
    return dict.fromkeys(LANGUAGES, value) if isinstance(value, str) else value


def _checked_forms(value: dict[str, Any]) -> dict[str, str]:
    if not value or not value.keys() <= set(LANGUAGES):
        raise ValueError("one text, or one for each of `ru` and `en`, is wanted")
    if not all(isinstance(text, str) and text.strip() for text in value.values()):
        raise ValueError("a text is empty, or none")
    unknown = {name for text in value.values() for name in _PLACEHOLDER.findall(text)} - _KNOWN
    if unknown:
        raise ValueError(f"`{{{min(unknown)}}}` means nothing here; `{{note}}` and `{{title}}` do")
    return value


def _parsed_forms(value: object) -> dict[str, str]:
    value = _forms(value)
    if not isinstance(value, dict):
        raise ValueError("one text, or one for each of `ru` and `en`, is wanted")
    return _checked_forms(value)


Forms: TypeAlias = Annotated[dict[str, str], BeforeValidator(_parsed_forms)]
"""A text in each language that it is written in."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TemplateSection(_Shape):
    """What is asked under one heading."""

    heading: Forms
    question: Forms
    words: Forms = {}
    notes: int = Field(5, ge=0, le=MOST_NOTES)


class _FrontMatter(_Shape):
    title: Forms
    sections: list[TemplateSection] = Field(min_length=1, max_length=MOST_SECTIONS)
    due: list[str] = []
    scope: str = ""


@dataclass(frozen=True, slots=True)
class DueWhen:
    """What makes a note due: its own change, that of a note it links to, or an age in days; 0: never by age."""

    changed: bool = False
    linked_changed: bool = False
    days: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of analysis. `scope` names notes that are due before they were ever analysed; empty: none."""

    name: str
    path: Path
    title: Mapping[str, str]
    sections: tuple[TemplateSection, ...]
    due: DueWhen
    scope: str = ""


def form(forms: Mapping[str, str], language: str, **values: str) -> str:
    """Return a text in a language, or in the one that there is, with its placeholders filled."""
    text = forms.get(language) or next(iter(forms.values()), "")
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def find_template(config: Config, name: str) -> Template:
    """Return the template of this name. Raises UsageError where there is none, ConfigError for a broken one."""
    known = template_files(config)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"Did you mean `{near[0]}`? " if near else ""
        raise UsageError(
            f"No template is called “{name}”.",
            f"{meant}There are: {', '.join(known)}; yours lie in {config.home / FOLDER}.",
        )
    return read_template(known[name])


def template_files(config: Config) -> dict[str, Path]:
    """Return the templates' files by name, the user's before ours."""
    folders = (shipped(FOLDER), config.home / FOLDER)
    found = {path.stem: path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.md"))}
    return dict(sorted(found.items()))


def read_template(path: Path) -> Template:
    """Read a template. Raises ConfigError, in one sentence with all that is wrong with it."""
    front = read_frontmatter(_text(path))
    if front.problems:
        raise _broken(path, " ".join(front.problems).rstrip("."))
    if not front.body:
        raise _broken(path, "it begins with no front matter between two lines `---`")
    try:
        read = _FrontMatter.model_validate(dict(front.properties))
    except ValidationError as error:
        raise _broken(path, "; ".join(_describe(fault) for fault in error.errors())) from error
    return Template(path.stem, path, read.title, tuple(read.sections), _due(path, read.due), _scope(path, read.scope))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _broken(path, f"it is larger than {MOST_BYTES:,} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken(path, "it is no UTF-8 text") from error
    except OSError as error:
        raise ConfigError(
            f"The template {path} cannot be read: {error.strerror}.", "Give this user the right to read it."
        ) from error


def _due(path: Path, rules: list[str]) -> DueWhen:
    days = 0
    for rule in rules:
        if age := DAYS.fullmatch(rule.strip()):
            days = int(age[1])
        elif rule.strip() not in (CHANGED, LINKED_CHANGED):
            raise _broken(path, f"`due` holds `{rule}`; known are `{CHANGED}`, `{LINKED_CHANGED}` and `90 days`")
    named = {rule.strip() for rule in rules}
    return DueWhen(CHANGED in named, LINKED_CHANGED in named, days)


def _scope(path: Path, scope: str) -> str:
    try:
        parse_scope(scope)
    except UsageError as error:
        raise _broken(path, f"`scope`: {error.message.rstrip('.')}") from error
    return scope.strip()


def _describe(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"`{place}` is missing"
    if fault["type"] != "extra_forbidden":
        said = str(fault["msg"]).removeprefix("Value error, ")
        return f"`{place}`: {said[:1].lower()}{said[1:]}"
    shape = TemplateSection if place.startswith("sections.") else _FrontMatter
    nearest = difflib.get_close_matches(place.rpartition(".")[2], shape.model_fields, n=1, cutoff=0.4)
    return f"unknown `{place}`" + (f" (did you mean `{nearest[0]}`?)" if nearest else "")


def _broken(path: Path, fault: str) -> ConfigError:
    return ConfigError(
        f"The template {path} cannot be used: {fault}.",
        f"Correct it; {shipped(FOLDER) / USUAL_TEMPLATE}.md shows and explains the form.",
    )
