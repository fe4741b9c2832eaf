"""Link resolution as the Obsidian app was seen to do it, with a rule of our own for true ties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from vaultrag.text.paths import file_name, lower, normalize_path

FilesNamed: TypeAlias = Callable[[str], Sequence[str]]
"""The paths whose last segment, lower-case, is this name; sorted."""


class LinkResolver:
    """Finds the file that a link names among the vault's paths. Aliases never resolve a link."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(paths):
            self._by_name.setdefault(file_name(path), []).append(path)

    def resolve(self, target: str, source: str) -> str | None:
        """Return the path that `target` names in the note `source`; an empty target is the note itself."""
        return resolve_link(target, source, lambda name: self._by_name.get(name, ()))


def resolve_link(target: str, source: str, files_named: FilesNamed) -> str | None:
    """Return the path that `target` names in the note `source`; an empty target is the note itself.

    A literal name wins over `name.md`, the exact path over the note's own folder, that over the shortest path.
    """
    written = target.partition("#")[0].strip()
    if not written:
        return source
    rooted = written.replace("\\", "/").startswith("/")
    link = lower(normalize_path(written))
    name = link.rpartition("/")[2]
    candidates, extension = files_named(name), ""
    if not candidates:
        candidates, extension = files_named(f"{name}.md"), ".md"
    if not candidates:
        return None
    if len(candidates) == 1 and link == name and not rooted:
        return candidates[0]
    lowered = [(lower(path), path) for path in candidates]
    exact = dict(reversed(lowered))  # of equal ones the first
    if link.startswith(("./", "../")):
        link = _relative(link, lower(source))
    if link + extension in exact:
        return exact[link + extension]
    return None if rooted else _nearest(lowered, link + extension, source)


def shortest_link(path: str, source: str, files_named: FilesNamed) -> str:
    """Return the shortest target that names the file `path` in the note `source`: its name, or more of its path.

    Where even the whole path names another file, as one of a name that no link can say, it is the path all the same.
    """
    written = path.removesuffix(".md")
    parts = written.split("/")
    shorter = ("/".join(parts[first:]) for first in range(len(parts) - 1, -1, -1))
    targets = (*shorter, f"/{written}", path)
    return next((target for target in targets if resolve_link(target, source, files_named) == path), path)


def _relative(link: str, source: str) -> str:
    parts = source.split("/")[:-1]
    for part in link.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _nearest(candidates: Iterable[tuple[str, str]], link: str, source: str) -> str | None:
    """Return the best path that ends with the link: in the source's folder first, then the shortest string."""
    folder = source.rpartition("/")[0]
    own = f"{folder}/" if folder else ""
    matching = [path for lowered, path in candidates if lowered.endswith(f"/{link}") or lowered == link]
    if not matching:
        return None
    return min(matching, key=lambda path: (not path.startswith(own), len(path), path))
