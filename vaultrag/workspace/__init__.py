"""One open vault: the composition root."""

from vaultrag.workspace.workspace import Access, Reach, Workspace

__all__ = ["Access", "Reach", "Workspace"]
