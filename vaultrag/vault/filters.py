"""What a vault leaves out: path prefixes and `/regular expressions/`, its own by Obsidian's `userIgnoreFilters`."""

from __future__ import annotations

import json
import os
import stat as status
import time
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from vaultrag.domain import counted
from vaultrag.text.expressions import Expression, NotUsable

APP_SETTINGS = "app.json"
MAX_SETTINGS_BYTES = 5_000_000  # Obsidian's own has a few kB
MOST_FILTERS = 500  # of one list; each is compared with each path
PATH_SECONDS = 0.1  # of computing, for one expression and one path: usual ones take some microseconds
LOOK_SECONDS = 2.0  # for one expression and all paths of one look at the vault
ALL_SECONDS = 10.0  # for all of them
SAID = 5  # filters that are named
SHOWN = 60  # characters of a filter in what is said of it


def obsidian_filters(root: Path) -> list[str]:
    """Return the vault's own `userIgnoreFilters`; an unreadable app.json has none."""
    filters = obsidian_settings(root, APP_SETTINGS).get("userIgnoreFilters")
    return [text for text in filters if isinstance(text, str)] if isinstance(filters, list) else []


def obsidian_settings(root: Path, name: str) -> dict[str, Any]:
    """Return what a settings file of the app or of a plugin holds; nothing where it cannot be read."""
    try:
        settings = json.loads(_settings_bytes(root / ".obsidian" / name))
    except (OSError, ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


class PathFilter:
    """Rules for one look at the vault: prefixes and expressions, without case.

    One that cannot be used is ignored, as Obsidian does; so is one from when it takes too long. `problems` says which.
    """

    def __init__(self, rules: Sequence[str]) -> None:
        self._problems: list[str] = []
        self._too_many = max(0, len(rules) - MOST_FILTERS)
        used = [rule for rule in rules[:MOST_FILTERS] if rule]
        self._prefixes = tuple(_folded(rule) for rule in used if not _is_expression(rule))
        self._rules = [timed for rule in used if _is_expression(rule) and (timed := self._timed(rule))]
        self._seconds = 0.0

    @property
    def problems(self) -> list[str]:
        more = max(0, len(self._problems) - SAID) + self._too_many
        return [*self._problems[:SAID], *([f"{counted(more, 'more filter')} left out."] if more else [])]

    def matches(self, path: str) -> bool:
        if self._prefixes and _folded(path).startswith(self._prefixes):
            return True
        return bool(self._rules) and any(self._finds(rule, path) for rule in list(self._rules))

    def _timed(self, rule: str) -> _TimedRule | None:
        try:
            return _TimedRule(rule)
        except NotUsable as reason:
            self._complain(rule, str(reason))
            return None

    def _finds(self, rule: _TimedRule, path: str) -> bool:
        began = time.thread_time()
        try:
            return rule.expression.is_in(path, PATH_SECONDS)
        except TimeoutError:
            self._drop(rule)
            return False
        finally:
            took = time.thread_time() - began
            rule.seconds += took
            self._seconds += took
            if rule.seconds > LOOK_SECONDS:
                self._drop(rule)
            if self._seconds > ALL_SECONDS:
                self._drop(max(self._rules, key=lambda slow: slow.seconds, default=rule))
                self._seconds = sum(left.seconds for left in self._rules)

    def _drop(self, rule: _TimedRule) -> None:
        if rule in self._rules:
            self._rules.remove(rule)
            self._complain(rule.source, "it takes too long")

    def _complain(self, rule: str, reason: str) -> None:
        self._problems.append(f"The filter {_shown(rule)} is left out, because {reason}.")


class _TimedRule:
    """An expression, and how long it took so far. Raises NotUsable."""

    def __init__(self, rule: str) -> None:
        self.source = rule
        self.expression = _compiled(rule)
        self.seconds = 0.0


@lru_cache(maxsize=2 * MOST_FILTERS)
def _compiled(rule: str) -> Expression:
    return Expression(unicodedata.normalize("NFC", rule[1:-1]))


def _settings_bytes(path: Path) -> bytes:
    """Return a small regular file. Raises OSError and ValueError."""
    with os.fdopen(
        os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
    ) as file:
        if not status.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no regular file")
        content = file.read(MAX_SETTINGS_BYTES + 1)
    if len(content) > MAX_SETTINGS_BYTES:
        raise ValueError("too large")
    return content


def _is_expression(rule: str) -> bool:
    return len(rule) > 2 and rule[0] == rule[-1] == "/"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _shown(rule: str) -> str:
    """Return a filter for one line on a screen, whatever is in it."""
    visible = "".join(sign if sign.isprintable() else "\ufffd" for sign in rule[:SHOWN])
    return f"{visible}…" if len(rule) > SHOWN else visible
