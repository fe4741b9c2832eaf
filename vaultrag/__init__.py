"""VaultRAG: a private knowledge system over an Obsidian vault."""

__version__ = "0.1.0"
