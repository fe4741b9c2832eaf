"""Analyses of notes by templates: what a note is about, which notes belong to it, and when that is looked at again."""
