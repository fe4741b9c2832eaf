"""Whether a folder lies on another machine: then nobody tells what happens there."""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

# File systems whose server, or whose host beside a virtual machine, changes files without an event here.
REMOTE = frozenset(
    "nfs nfs4 cifs smb3 smbfs 9p afs ceph glusterfs fuse.sshfs fuse.rclone fuse.s3fs fuse.gvfsd-fuse fuse.davfs2 davfs"
    " vboxsf fuse.vmhgfs-fuse prl_fs drvfs virtiofs".split()
)


def is_remote(folder: Path) -> bool:
    """Tell whether a folder lies on such a file system; no where the system does not say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return file_system(os.path.realpath(folder), lines) in REMOTE


def file_system(path: str, lines: list[str]) -> str:
    """Return the type of the file system that a path lies on, by the lines of `mountinfo`."""
    best, kind = "", ""
    for line in lines:
        mounted, _, source = line.partition(" - ")
        fields = mounted.split(" ")
        if len(fields) < 5 or not source:
            continue
        point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if len(point) >= len(best) and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, kind = point, source.split(" ")[0]
    return kind
