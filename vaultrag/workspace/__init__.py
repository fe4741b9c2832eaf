"""One open vault: the composition root."""

from vaultrag.workspace.workspace import Ownership, Reach, Workspace

__all__ = ["Ownership", "Reach", "Workspace"]
