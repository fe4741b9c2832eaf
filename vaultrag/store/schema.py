"""The schema of the index (its later tables stand in `tables/`), and the steps that bring an older one up to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vaultrag.store.tables.claims import ANALYSES, CLAIMS, JUDGEMENTS
from vaultrag.store.tables.notes import CONTENT, FILES, FOLLOWING, LANGUAGES, MENTIONS, NAMES_OWED, SET_ASIDE, TASKS
from vaultrag.store.tables.records import FATES, JOBS, NIGHTS, RECORDS, TRACES

SCHEMA_VERSION = 17

# Stems come ready made, one space apart: the tokenizer splits at spaces and leaves every mark that a stem may hold.
KEYWORD_TOKENIZER = """tokenize = "ascii tokenchars '-_.:/@+#'''" """

FIRST_SEEN = "first seen"
"""The `date_source` of a note that names no date: it has the day it was indexed first, and keeps it."""

SCHEMA = f"""
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE notes (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    path         TEXT NOT NULL UNIQUE,
    fs_path      TEXT NOT NULL,
    title        TEXT NOT NULL,
    size         INTEGER NOT NULL,
    mtime_ns     INTEGER NOT NULL,
    inode        INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    recipe       TEXT NOT NULL,            -- parser and chunk settings; a note of another recipe is read again
    date         TEXT NOT NULL,
    date_source  TEXT NOT NULL,
    language     TEXT NOT NULL,
    indexed_at   REAL NOT NULL,
    problems     TEXT NOT NULL,            -- JSON list of sentences
    properties   TEXT NOT NULL,            -- JSON object
    about        TEXT NOT NULL DEFAULT ''  -- what the properties tell a reader, on one line
);

-- Every path a link can point to, attachments too, as the links were last resolved against.
{FILES}
CREATE TABLE tags (
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    tag     TEXT NOT NULL,
    PRIMARY KEY (note_id, tag)
) WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag);
{TASKS}
CREATE TABLE names (
    id      INTEGER PRIMARY KEY,
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    kind    TEXT NOT NULL CHECK (kind IN ('title', 'alias')),
    name    TEXT NOT NULL,
    stems   TEXT NOT NULL
);
CREATE INDEX names_note ON names (note_id);

CREATE TABLE chunks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    chunk_id     TEXT NOT NULL UNIQUE,
    note_id      INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    ordinal      INTEGER NOT NULL,
    text_hash    TEXT NOT NULL,
    language     TEXT NOT NULL,
    first_line   INTEGER NOT NULL,
    first_column INTEGER NOT NULL,
    last_line    INTEGER NOT NULL,
    last_column  INTEGER NOT NULL,
    block_id     TEXT NOT NULL,
    speaker      TEXT NOT NULL,
    heading_path TEXT NOT NULL,            -- JSON list
    features     TEXT NOT NULL DEFAULT '', -- what the passage holds, as `task link`, one space apart
    lead         TEXT NOT NULL DEFAULT '', -- lines of the note that the text belongs under
    said         TEXT NOT NULL DEFAULT '', -- when a message of a chat was written
    model        TEXT NOT NULL DEFAULT '', -- which model wrote it
    text         TEXT NOT NULL,
    embedded     TEXT NOT NULL,
    stems        TEXT NOT NULL             -- of `embedded`, one space apart
);
CREATE INDEX chunks_note ON chunks (note_id, ordinal);
CREATE INDEX chunks_text_hash ON chunks (text_hash);
{LANGUAGES}
CREATE VIRTUAL TABLE keywords USING fts5 (stems, content = 'chunks', content_rowid = 'id', {KEYWORD_TOKENIZER});
CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
    INSERT INTO keywords (rowid, stems) VALUES (new.id, new.stems);
END;
CREATE TRIGGER chunks_dropped AFTER DELETE ON chunks BEGIN
    INSERT INTO keywords (keywords, rowid, stems) VALUES ('delete', old.id, old.stems);
END;
CREATE TRIGGER chunks_changed AFTER UPDATE OF stems ON chunks WHEN old.stems <> new.stems BEGIN
    INSERT INTO keywords (keywords, rowid, stems) VALUES ('delete', old.id, old.stems);
    INSERT INTO keywords (rowid, stems) VALUES (new.id, new.stems);
END;

CREATE VIRTUAL TABLE names_fts USING fts5 (stems, content = 'names', content_rowid = 'id', {KEYWORD_TOKENIZER});
CREATE TRIGGER names_added AFTER INSERT ON names BEGIN
    INSERT INTO names_fts (rowid, stems) VALUES (new.id, new.stems);
END;
CREATE TRIGGER names_dropped AFTER DELETE ON names BEGIN
    INSERT INTO names_fts (names_fts, rowid, stems) VALUES ('delete', old.id, old.stems);
END;

CREATE TABLE links (
    id          INTEGER PRIMARY KEY,
    source_id   INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    target      TEXT NOT NULL,
    target_key  TEXT NOT NULL,             -- lower-case last segment: what can change the meaning of the target
    target_path TEXT,                      -- NULL: resolves to nothing
    kind        TEXT NOT NULL,
    anchor      TEXT NOT NULL,
    text        TEXT NOT NULL,
    line        INTEGER NOT NULL
);
CREATE INDEX links_source ON links (source_id);
CREATE INDEX links_target_key ON links (target_key);
CREATE INDEX links_target_path ON links (target_path);

-- A name of one note that stands in another: in a link that resolves to nothing, or in the text. Both are guesses.
{MENTIONS}{FOLLOWING}{NAMES_OWED}{CONTENT}
CREATE TABLE embeddings (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    text_hash   TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    vector      BLOB NOT NULL,             -- float32, little-endian, unit length
    checksum    INTEGER NOT NULL DEFAULT 0, -- crc32 of `vector`
    UNIQUE (text_hash, fingerprint)
);

-- Each embedding key that something is owed for: an embedding, or its removal.
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT NOT NULL UNIQUE,
    queued_at REAL NOT NULL,
    rank      REAL                         -- the least goes first; NULL before all: queued since they were ranked
);
{SET_ASIDE}{RECORDS}{TRACES}{JOBS}{CLAIMS}{ANALYSES}{JUDGEMENTS}{NIGHTS}{FATES}"""


RECORDS_SINCE = 5
"""The first schema with records: what only they concern reads any index from there on."""


class Reparse(StrEnum):
    """Whether the notes must be read again after a migration."""

    KEEP = "keep"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step to the schema version `to`."""

    to: int
    script: str
    reparse: Reparse


_FEATURES = "ALTER TABLE chunks ADD COLUMN features TEXT NOT NULL DEFAULT '';"
_ATTRIBUTION = """
ALTER TABLE notes ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE chunks ADD COLUMN lead TEXT NOT NULL DEFAULT '';
ALTER TABLE chunks ADD COLUMN said TEXT NOT NULL DEFAULT '';
ALTER TABLE chunks ADD COLUMN model TEXT NOT NULL DEFAULT '';
"""
_CHECKSUMS = """
ALTER TABLE embeddings ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
UPDATE embeddings SET checksum = crc32(vector);
ALTER TABLE outbox ADD COLUMN rank REAL;
"""

_FOLLOWING = f"""
DROP TABLE files;
{FILES}{FOLLOWING}
INSERT INTO mentions_owed (note_id) SELECT id FROM notes;
DELETE FROM meta WHERE key = 'mentions_until';
"""

_NAMES_OWED = f"""{NAMES_OWED}
INSERT OR IGNORE INTO mentions_owed (note_id) SELECT id FROM notes;
"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, _FEATURES + "\n" + MENTIONS, Reparse.ALL),
    Migration(3, _CHECKSUMS + SET_ASIDE, Reparse.KEEP),
    Migration(4, _FOLLOWING, Reparse.KEEP),
    Migration(RECORDS_SINCE, RECORDS, Reparse.KEEP),
    Migration(6, CONTENT, Reparse.KEEP),
    Migration(7, LANGUAGES, Reparse.KEEP),
    Migration(8, _NAMES_OWED, Reparse.KEEP),
    Migration(9, TRACES, Reparse.KEEP),
    Migration(10, _ATTRIBUTION, Reparse.KEEP),
    Migration(11, TASKS, Reparse.ALL),
    Migration(12, JOBS, Reparse.KEEP),
    Migration(13, CLAIMS, Reparse.KEEP),
    Migration(14, ANALYSES, Reparse.KEEP),
    Migration(15, JUDGEMENTS, Reparse.KEEP),
    Migration(16, NIGHTS, Reparse.KEEP),
    Migration(17, FATES, Reparse.KEEP),
)
"""Steps from every schema version that was ever released, in order. Version 1 is the first."""
