"""Tables about the notes themselves beside their passages: what is named, owed and followed."""

from __future__ import annotations

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
