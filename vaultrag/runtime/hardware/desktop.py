"""Tells the desktop something, where there is one: by the program that each system brings along."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

WAIT_SECONDS = 10.0  # PowerShell takes some to start
SESSION = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")  # of Linux: without any there is no desktop
TOAST = "Windows.UI.Notifications"
POWERSHELL = r"{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\WindowsPowerShell\v1.0\powershell.exe"  # who shows it
_TOAST = f"""
[{TOAST}.ToastNotificationManager, {TOAST}, ContentType = WindowsRuntime] > $null
$toast = [{TOAST}.ToastNotificationManager]::GetTemplateContent([{TOAST}.ToastTemplateType]::ToastText02)
$lines = $toast.GetElementsByTagName('text')
$lines.Item(0).AppendChild($toast.CreateTextNode($env:VAULTRAG_TITLE)) > $null
$lines.Item(1).AppendChild($toast.CreateTextNode($env:VAULTRAG_TEXT)) > $null
$shower = [{TOAST}.ToastNotificationManager]::CreateToastNotifier('{POWERSHELL}')
$shower.Show([{TOAST}.ToastNotification]::new($toast))
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """The command that shows a notice. The words are arguments or variables of it, never part of a script."""

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def notice(platform: str, title: str, text: str) -> Notice:
    """Return what shows a notice on a system, named as `sys.platform` does."""
    if platform == "win32":
        command = ("powershell", "-NoProfile", "-NonInteractive", "-Command", _TOAST)
        return Notice(command, {"VAULTRAG_TITLE": title, "VAULTRAG_TEXT": text})
    if platform == "darwin":
        script = ("on run words", "display notification (item 2 of words) with title (item 1 of words)", "end run")
        return Notice(("osascript", *(word for line in script for word in ("-e", line)), title, text))
    return Notice(("notify-send", "--app-name=VaultRAG", "--", title, text))


def tell_desktop(title: str, text: str) -> bool:
    """Show a notice; return whether somebody took it. Where no desktop is, nothing happens; never raises."""
    made = notice(sys.platform, title, text)
    if not shutil.which(made.command[0]) or not (sys.platform in ("win32", "darwin") or _has_session()):
        return False
    with contextlib.suppress(OSError, subprocess.TimeoutExpired, ValueError):
        done = subprocess.run(
            made.command,
            env={**os.environ, **made.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=WAIT_SECONDS,
            check=False,
        )
        return done.returncode == 0
    return False


def _has_session() -> bool:
    return any(os.environ.get(name) for name in SESSION)
