"""The whole schema of the index in one place, and the ordered steps that bring an older index up to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 16

# Stems come ready made, one space apart: the tokenizer splits at spaces and leaves every mark that a stem may hold.
KEYWORD_TOKENIZER = """tokenize = "ascii tokenchars '-_.:/@+#'''" """

MENTIONS = """
CREATE TABLE mentions (
    id        INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    target_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL CHECK (kind IN ('alias', 'mention')),
    name      TEXT NOT NULL,               -- the title or alias, as the target's note writes it
    text      TEXT NOT NULL,               -- the words that stand in the source
    line      INTEGER NOT NULL
);
CREATE INDEX mentions_source ON mentions (source_id);
CREATE INDEX mentions_target ON mentions (target_id);
"""

SET_ASIDE = """
CREATE TABLE set_aside (                   -- texts that an embedder cannot embed: it died of them, twice
    text_hash   TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (text_hash, fingerprint)
) WITHOUT ROWID;
CREATE INDEX embeddings_fingerprint ON embeddings (fingerprint);
CREATE INDEX outbox_rank ON outbox (rank);
"""

FILES = """
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    name TEXT NOT NULL                     -- the last segment, lower-case: what a link names it by
) WITHOUT ROWID;
CREATE INDEX files_name ON files (name);
"""

FOLLOWING = """
-- Notes that must be read again, though their own text stays.
CREATE INDEX notes_owed ON notes (path) WHERE recipe = '';

-- Each note whose mentions must be looked for; one written again meanwhile has a new row.
CREATE TABLE mentions_owed (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    note_id INTEGER NOT NULL UNIQUE REFERENCES notes (id) ON DELETE CASCADE
);
"""

CONTENT = """
CREATE INDEX notes_content ON notes (content_hash); -- a note that appears may be one that went elsewhere
"""

NAMES_OWED = """
-- Each name that a note gained or lost since mentions were looked for; the empty one: links came to mean something, or
-- nothing. A name that another note bore, too, may mean one note now.
CREATE TABLE names_owed (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TRIGGER names_gained AFTER INSERT ON names BEGIN
    INSERT OR REPLACE INTO names_owed (name) VALUES (new.name);
END;
CREATE TRIGGER names_lost AFTER DELETE ON names BEGIN
    INSERT OR REPLACE INTO names_owed (name) VALUES (old.name);
END;
CREATE TRIGGER links_turned AFTER UPDATE OF target_path ON links
WHEN (old.target_path IS NULL) <> (new.target_path IS NULL) BEGIN
    INSERT OR REPLACE INTO names_owed (name) VALUES ('');
END;
"""

LANGUAGES = """
CREATE INDEX chunks_language ON chunks (language); -- whether any passage is in a language
"""

RECORDS = """
-- What cannot be rebuilt; the journal has it, too. A deleted record keeps its row, with no body.
CREATE TABLE records (
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    at       INTEGER NOT NULL,             -- microseconds since 1970; the later change of a record counts
    body     TEXT,                         -- JSON object
    checksum TEXT NOT NULL,                -- as in the journal
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- Notes that moved, until the records that name them have followed.
CREATE TABLE moves (
    id       INTEGER PRIMARY KEY,
    old_path TEXT NOT NULL,
    new_path TEXT NOT NULL
);
CREATE TRIGGER notes_moved AFTER UPDATE OF path ON notes WHEN old.path <> new.path BEGIN
    INSERT INTO moves (old_path, new_path) VALUES (old.path, new.path);
END;
"""

TRACES = """
-- How longer answers were come by, step by step, as far as they came. Derived: the oldest go, and no export has them.
CREATE TABLE traces (
    id       TEXT PRIMARY KEY,
    at       INTEGER NOT NULL,             -- microseconds since 1970
    mode     TEXT NOT NULL,
    question TEXT NOT NULL,
    checksum INTEGER NOT NULL              -- crc32 of these
) WITHOUT ROWID;
CREATE TABLE trace_steps (
    id       INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL REFERENCES traces (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    step     TEXT NOT NULL,
    detail   TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX trace_steps_trace ON trace_steps (trace_id);
CREATE TABLE trace_notes (                 -- the notes that a trace speaks of
    trace_id TEXT NOT NULL REFERENCES traces (id) ON DELETE CASCADE,
    path     TEXT NOT NULL,
    PRIMARY KEY (trace_id, path)
) WITHOUT ROWID;
CREATE INDEX trace_notes_path ON trace_notes (path);
CREATE TRIGGER notes_of_traces_moved AFTER UPDATE OF path ON notes WHEN old.path <> new.path BEGIN
    UPDATE OR REPLACE trace_notes SET path = new.path WHERE path = old.path;
END;
"""

JOBS = """
-- How far each job is; what it is to do is a record. A lease is good from its last sign of life until `until`.
CREATE TABLE jobs (
    number   INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order they came, whatever the clock said
    id       TEXT NOT NULL UNIQUE,         -- the key of its record
    state    TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'spent', 'failed', 'cancelled')),
    rank     INTEGER NOT NULL,             -- the least goes first
    due      INTEGER NOT NULL,             -- microseconds since 1970: not taken before
    attempts INTEGER NOT NULL,             -- times it was taken since a unit of it was done
    holder   TEXT NOT NULL,                -- who works at it; empty: nobody
    until    INTEGER NOT NULL,
    fence    INTEGER NOT NULL,             -- grows each time it changes hands: who held it before can write no more
    stage    TEXT NOT NULL
);
CREATE TABLE job_units (                   -- what was done of a job: the unit and its result are one transaction
    job_id   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,                -- of what went into it
    result   TEXT NOT NULL,
    tokens   INTEGER NOT NULL,
    seconds  REAL NOT NULL,
    checksum INTEGER NOT NULL,             -- crc32 of these
    PRIMARY KEY (job_id, key)
) WITHOUT ROWID;
CREATE TABLE job_notes (                   -- the notes whose words a job has read
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    path   TEXT NOT NULL,
    PRIMARY KEY (job_id, path)
) WITHOUT ROWID;
CREATE INDEX job_notes_path ON job_notes (path);
CREATE TRIGGER notes_of_jobs_moved AFTER UPDATE OF path ON notes WHEN old.path <> new.path BEGIN
    UPDATE OR REPLACE job_notes SET path = new.path WHERE path = old.path;
END;
"""

NIGHTS = """
-- What nights did, in figures, and where each one's report lies. `outcome` is a JSON list of stages.
CREATE TABLE nights (
    id       TEXT PRIMARY KEY,             -- of its job
    began_at INTEGER NOT NULL,             -- microseconds since 1970
    ended_at INTEGER NOT NULL,             -- 0: it goes on
    report   TEXT NOT NULL,                -- the file; empty: none, or it was forgotten
    outcome  TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE night_notes (                 -- the notes that a report speaks of
    night_id TEXT NOT NULL REFERENCES nights (id) ON DELETE CASCADE,
    path     TEXT NOT NULL,
    PRIMARY KEY (night_id, path)
) WITHOUT ROWID;
CREATE INDEX night_notes_path ON night_notes (path);
CREATE TRIGGER notes_of_nights_moved AFTER UPDATE OF path ON notes WHEN old.path <> new.path BEGIN
    UPDATE OR REPLACE night_notes SET path = new.path WHERE path = old.path;
END;
CREATE TABLE night_done (                  -- the content of each note that a stage of the night has looked at
    stage        TEXT NOT NULL,
    note_id      INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (stage, note_id)
) WITHOUT ROWID;
CREATE INDEX night_done_note ON night_done (note_id);
CREATE TABLE night_findings (              -- what was found about a note, as long as it holds
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    note_id  INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    other_id INTEGER REFERENCES notes (id) ON DELETE CASCADE,
    text     TEXT NOT NULL,                -- the words that it is about
    line     INTEGER NOT NULL,             -- 0: the whole note
    day      TEXT NOT NULL,                -- not told before; empty: at once
    score    REAL NOT NULL,                -- the greatest goes first
    told     INTEGER NOT NULL              -- whether a report has told it
);
CREATE UNIQUE INDEX night_findings_once ON night_findings (kind, note_id, ifnull(other_id, 0), text);
CREATE INDEX night_findings_note ON night_findings (note_id);
CREATE INDEX night_findings_other ON night_findings (other_id);
"""

TASKS = """
-- The list items with a box. `status` is the sign in it, `dates` a JSON object of days by due, done, scheduled ….
CREATE TABLE tasks (
    id      INTEGER PRIMARY KEY,
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    line    INTEGER NOT NULL,
    status  TEXT NOT NULL,
    text    TEXT NOT NULL,
    dates   TEXT NOT NULL
);
CREATE INDEX tasks_note ON tasks (note_id);
"""

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
{SET_ASIDE}{RECORDS}{TRACES}{JOBS}{CLAIMS}{ANALYSES}{JUDGEMENTS}{NIGHTS}"""


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
)
"""Steps from every schema version that was ever released, in order. Version 1 is the first."""
