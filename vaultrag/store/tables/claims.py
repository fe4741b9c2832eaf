"""Tables of what the notes state, what pairs of statements came to, and which notes were analysed."""

from __future__ import annotations

CLAIMS = """
-- What each passage states. Derived, and kept so that nothing is extracted twice: a passage that says something else,
-- or stands under another name or day, loses its claims at once.
CREATE TABLE extractions (
    chunk_id INTEGER PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE,
    recipe   TEXT NOT NULL,                -- the extractor, its model and prompt
    dropped  TEXT NOT NULL,                -- JSON object: how many parts gave no claim, by the reason
    checksum INTEGER NOT NULL              -- crc32 of these
);
CREATE TABLE claims (
    id       INTEGER PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES extractions (chunk_id) ON DELETE CASCADE,
    key      TEXT NOT NULL,
    place    INTEGER NOT NULL,             -- where it stands in the chunk's text, in code points
    length   INTEGER NOT NULL,
    body     TEXT NOT NULL,                -- JSON object
    checksum INTEGER NOT NULL
);
CREATE INDEX claims_chunk ON claims (chunk_id);
CREATE INDEX claims_key ON claims (key);
CREATE TRIGGER claims_of_chunks_changed AFTER UPDATE OF text, heading_path, lead, speaker, said, model ON chunks
WHEN (old.text, old.heading_path, old.lead, old.speaker, old.said, old.model)
     IS NOT (new.text, new.heading_path, new.lead, new.speaker, new.said, new.model) BEGIN
    DELETE FROM extractions WHERE chunk_id = old.id;
END;
CREATE TRIGGER claims_of_notes_changed AFTER UPDATE OF path, title, date, date_source ON notes
WHEN (old.path, old.title, old.date, old.date_source) IS NOT (new.path, new.title, new.date, new.date_source) BEGIN
    DELETE FROM extractions WHERE chunk_id IN (SELECT id FROM chunks WHERE note_id = old.id);
END;
"""

ANALYSES = """
-- When a note was analysed, and what it and the notes that it links to said then, by hashes.
CREATE TABLE analyses (
    note_id      INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    template     TEXT NOT NULL,
    role         TEXT NOT NULL,
    at           REAL NOT NULL,            -- seconds since 1970
    content_hash TEXT NOT NULL,
    linked_hash  TEXT NOT NULL,
    PRIMARY KEY (note_id, template, role)
) WITHOUT ROWID;
CREATE INDEX analyses_template ON analyses (template);
"""

JUDGEMENTS = """
-- Pairs of claims, by their keys, the lesser first. A judge that failed has no score.
CREATE TABLE judgements (
    one           TEXT NOT NULL,
    other         TEXT NOT NULL,
    judge         TEXT NOT NULL,           -- the model and its wording
    contradiction REAL,
    entailment    REAL,
    PRIMARY KEY (one, other, judge)
) WITHOUT ROWID;
CREATE TABLE found_pairs (
    one         TEXT NOT NULL,
    other       TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    confidence  REAL NOT NULL,
    ground      TEXT NOT NULL,             -- what differs, and the words in which either says it
    words_one   TEXT NOT NULL,
    words_other TEXT NOT NULL,
    possible    INTEGER NOT NULL,
    gate        TEXT NOT NULL,             -- the gate that removed it; empty: none
    at          INTEGER NOT NULL,          -- microseconds since 1970, when it was found first
    PRIMARY KEY (one, other)
) WITHOUT ROWID;
CREATE INDEX found_pairs_other ON found_pairs (other);
CREATE TABLE compared_claims (             -- the claims that need not be paired again
    claim  TEXT PRIMARY KEY,
    recipe TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE claim_vectors (
    claim       TEXT NOT NULL,
    fingerprint TEXT NOT NULL,             -- of the embedder
    vector      BLOB NOT NULL,             -- float32, little-endian
    checksum    INTEGER NOT NULL,          -- crc32 of `vector`
    PRIMARY KEY (claim, fingerprint)
) WITHOUT ROWID;
-- What holds words of a claim, or could be turned into them, goes with it; a claim that comes back is compared anew.
CREATE TRIGGER claims_gone AFTER DELETE ON claims BEGIN
    DELETE FROM found_pairs WHERE one = old.key;
    DELETE FROM found_pairs WHERE other = old.key;
    DELETE FROM compared_claims WHERE claim = old.key;
    DELETE FROM claim_vectors WHERE claim = old.key;
END;
"""
