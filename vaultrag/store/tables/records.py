"""Tables of what the user keeps, and of the work that is left to be done: records, traces, jobs and nights."""

from __future__ import annotations

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

FATES = """
-- What became of each citation of a kept answer when a night looked last. Digests and figures, no word of a note.
CREATE TABLE fates (
    record TEXT NOT NULL,                  -- the key of the answer
    number INTEGER NOT NULL,               -- of the citation
    fate   TEXT NOT NULL CHECK (fate IN ('holds', 'changed', 'gone', 'not_judged')),
    line   TEXT NOT NULL,                  -- digest of what its line said then; empty: none
    judge  TEXT NOT NULL,                  -- the model that judged; empty: code
    told   INTEGER NOT NULL,               -- whether a report has told it, or need not
    PRIMARY KEY (record, number)
) WITHOUT ROWID;
"""
