"""The library's tables, and how an older library becomes a current one.

`MIGRATIONS[n]` takes a library from schema version n to n + 1; version 0 is an empty file. A migration is never edited
once it was released: a change is a new one.
"""

from __future__ import annotations

import json
import sqlite3

from rag.errors import StoreCorrupt
from rag.filters.values import day_of, number_of

_FIRST = """
CREATE TABLE spaces (
  id TEXT PRIMARY KEY, model TEXT NOT NULL, weights_sha256 TEXT NOT NULL, dimension INTEGER NOT NULL, rules TEXT NOT NULL
);
CREATE TABLE documents (
  id TEXT PRIMARY KEY,
  collection TEXT NOT NULL,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  settings TEXT NOT NULL,
  size INTEGER NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  page_count INTEGER,
  metadata TEXT NOT NULL,
  source TEXT NOT NULL,
  warnings TEXT NOT NULL,
  published_at REAL NOT NULL,
  UNIQUE (collection, name)
);
CREATE TABLE pages (
  document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  number INTEGER NOT NULL, width REAL NOT NULL, height REAL NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (document_id, number)
) WITHOUT ROWID;
CREATE TABLE elements (
  document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL, text TEXT NOT NULL, page INTEGER, boxes TEXT NOT NULL, level INTEGER,
  caption TEXT NOT NULL, image_sha256 TEXT,
  PRIMARY KEY (document_id, ordinal)
) WITHOUT ROWID;
CREATE TABLE chunks (
  rowid INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL, text TEXT NOT NULL, context TEXT NOT NULL, headings TEXT NOT NULL,
  page INTEGER, boxes TEXT NOT NULL, tokens INTEGER NOT NULL, language TEXT NOT NULL,
  digest TEXT NOT NULL,
  image_sha256 TEXT, media_type TEXT, width INTEGER, height INTEGER
);
CREATE INDEX chunks_by_document ON chunks (document_id, ordinal);
CREATE INDEX chunks_by_digest ON chunks (digest);
CREATE TABLE entries (
  chunk INTEGER NOT NULL REFERENCES chunks ON DELETE CASCADE,
  ordinal INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (chunk, ordinal)
) WITHOUT ROWID;
CREATE INDEX entries_by_digest ON entries (digest);
-- A vector belongs to a text (or a picture), not to a chunk: the same text is embedded once, whatever document, version
-- or collection it stands in.
CREATE TABLE embeddings (
  space_id TEXT NOT NULL REFERENCES spaces, digest TEXT NOT NULL, vector BLOB NOT NULL,
  PRIMARY KEY (space_id, digest)
);
CREATE TABLE blobs (
  document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (document_id, sha256)
) WITHOUT ROWID;
CREATE INDEX blobs_by_hash ON blobs (sha256);
CREATE TABLE lexemes (
  chunk INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE, words TEXT NOT NULL, collection TEXT NOT NULL
);
CREATE VIRTUAL TABLE lexical USING fts5 (
  words, collection, content = 'lexemes', content_rowid = 'chunk', tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER lexemes_added AFTER INSERT ON lexemes BEGIN
  INSERT INTO lexical (rowid, words, collection) VALUES (new.chunk, new.words, new.collection);
END;
CREATE TRIGGER lexemes_removed AFTER DELETE ON lexemes BEGIN
  INSERT INTO lexical (lexical, rowid, words, collection) VALUES ('delete', old.chunk, old.words, old.collection);
END;
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  operation TEXT NOT NULL CHECK (operation IN ('upsert', 'delete')),
  collection TEXT NOT NULL, content TEXT NOT NULL, vector_id TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE TABLE failures (
  collection TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, settings TEXT NOT NULL,
  error TEXT NOT NULL, message TEXT NOT NULL, remedy TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (collection, name)
) WITHOUT ROWID;
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  collection TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'published', 'unchanged', 'failed')),
  message TEXT NOT NULL, remedy TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX uploads_by_state ON uploads (state, at);
"""

_WINDOWS = """
ALTER TABLE chunks ADD COLUMN window_first INTEGER;
ALTER TABLE chunks ADD COLUMN window_last INTEGER;
"""

_FEEDBACK = """
CREATE TABLE feedback (
  id TEXT PRIMARY KEY,
  at REAL NOT NULL,
  collection TEXT NOT NULL,
  target TEXT NOT NULL CHECK (target IN ('answer', 'citation')),
  rating TEXT NOT NULL CHECK (rating IN ('up', 'down')),
  comment TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  abstained INTEGER NOT NULL,
  citations TEXT NOT NULL,
  context TEXT NOT NULL,
  settings TEXT NOT NULL,
  generator TEXT NOT NULL
);
CREATE INDEX feedback_by_time ON feedback (collection, at);
-- The documents whose words are in it: with one of them, it goes.
CREATE TABLE feedback_documents (
  feedback_id TEXT NOT NULL REFERENCES feedback ON DELETE CASCADE, document_id TEXT NOT NULL,
  PRIMARY KEY (feedback_id, document_id)
) WITHOUT ROWID;
CREATE INDEX feedback_by_document ON feedback_documents (document_id);
"""

_FILTERS = """
-- What filters ask of a document's metadata: its entries, as text and as the number they are, and the day it is dated by. Kept by
-- triggers, whoever writes the metadata.
CREATE TABLE facts (
  document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  key TEXT NOT NULL, value TEXT NOT NULL, number REAL,
  PRIMARY KEY (document_id, key)
) WITHOUT ROWID;
CREATE INDEX facts_by_value ON facts (key, value);
CREATE INDEX facts_by_number ON facts (key, number);
CREATE TABLE days (
  document_id TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE, day TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX days_by_day ON days (day);
INSERT INTO facts
  SELECT d.id, m.key, m.value, tuwen_number(m.value) FROM documents d, json_each(d.metadata) m WHERE m.value IS NOT NULL;
INSERT INTO days SELECT id, tuwen_day(metadata) FROM documents WHERE tuwen_day(metadata) IS NOT NULL;
CREATE TRIGGER metadata_added AFTER INSERT ON documents BEGIN
  INSERT INTO facts
    SELECT new.id, key, value, tuwen_number(value) FROM json_each(new.metadata) WHERE value IS NOT NULL;
  INSERT INTO days SELECT new.id, tuwen_day(new.metadata) WHERE tuwen_day(new.metadata) IS NOT NULL;
END;
CREATE TRIGGER metadata_changed AFTER UPDATE OF metadata ON documents BEGIN
  DELETE FROM facts WHERE document_id = new.id;
  DELETE FROM days WHERE document_id = new.id;
  INSERT INTO facts
    SELECT new.id, key, value, tuwen_number(value) FROM json_each(new.metadata) WHERE value IS NOT NULL;
  INSERT INTO days SELECT new.id, tuwen_day(new.metadata) WHERE tuwen_day(new.metadata) IS NOT NULL;
END;
-- Holds all that a filter asks of most chunks: which they are is read without their text.
CREATE INDEX chunks_to_filter ON chunks (document_id, language, page, kind);
"""

_SPELLINGS = """
-- The words as they are written: the lexical index knows their stems only.
CREATE VIRTUAL TABLE spellings USING fts5 (
  words, content = 'lexemes', content_rowid = 'chunk', detail = 'none', columnsize = 0,
  tokenize = 'unicode61 remove_diacritics 0'
);
CREATE VIRTUAL TABLE spelled USING fts5vocab (spellings, 'row');
CREATE TRIGGER spellings_added AFTER INSERT ON lexemes BEGIN
  INSERT INTO spellings (rowid, words) VALUES (new.chunk, new.words);
END;
CREATE TRIGGER spellings_removed AFTER DELETE ON lexemes BEGIN
  INSERT INTO spellings (spellings, rowid, words) VALUES ('delete', old.chunk, old.words);
END;
INSERT INTO spellings (spellings) VALUES ('rebuild');
"""

_CONVERSATIONS = """
CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  collection TEXT NOT NULL,
  title TEXT NOT NULL,
  scope TEXT NOT NULL,
  head TEXT,
  created_at REAL NOT NULL,
  changed_at REAL NOT NULL
);
CREATE INDEX conversations_by_time ON conversations (changed_at);
-- A tree: a turn that was edited or asked again stands beside the first one, under the same parent.
CREATE TABLE turns (
  id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
  parent TEXT REFERENCES turns ON DELETE CASCADE,
  at REAL NOT NULL,
  question TEXT NOT NULL, searched TEXT NOT NULL, answer TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('complete', 'incomplete', 'removed')),
  abstained INTEGER NOT NULL,
  citations TEXT NOT NULL, context TEXT NOT NULL, notes TEXT NOT NULL, timings TEXT NOT NULL,
  generator TEXT NOT NULL, summary TEXT NOT NULL, error TEXT NOT NULL
);
CREATE INDEX turns_by_conversation ON turns (conversation_id, at);
CREATE INDEX turns_by_parent ON turns (parent);
-- The documents whose words are in it: when one of them is deleted, they go from here.
CREATE TABLE turn_documents (
  turn_id TEXT NOT NULL REFERENCES turns ON DELETE CASCADE, document_id TEXT NOT NULL, answered INTEGER NOT NULL,
  PRIMARY KEY (turn_id, document_id)
) WITHOUT ROWID;
CREATE INDEX turns_by_document ON turn_documents (document_id);
"""

_VERSIONS = """
-- Rises with every document of a collection that is published, replaced, changed or deleted: what was computed under one number is
-- true as long as it stands. Kept by triggers, whoever writes.
CREATE TABLE versions (collection TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER versions_added AFTER INSERT ON documents BEGIN
  INSERT INTO versions VALUES (new.collection, 1) ON CONFLICT (collection) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER versions_removed AFTER DELETE ON documents BEGIN
  INSERT INTO versions VALUES (old.collection, 1) ON CONFLICT (collection) DO UPDATE SET version = version + 1;
END;
CREATE TRIGGER versions_changed AFTER UPDATE ON documents BEGIN
  INSERT INTO versions VALUES (old.collection, 1) ON CONFLICT (collection) DO UPDATE SET version = version + 1;
  INSERT INTO versions VALUES (new.collection, 1) ON CONFLICT (collection) DO UPDATE SET version = version + 1;
END;
"""

_JOBS = """
-- The document of the file that a document was inside of.
ALTER TABLE documents ADD COLUMN container TEXT NOT NULL DEFAULT '';
CREATE INDEX documents_by_container ON documents (container) WHERE container <> '';
CREATE INDEX documents_by_hash ON documents (collection, sha256);
-- What a file looked like when its hash was computed: what looks the same is not read again.
CREATE TABLE looks (
  collection TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, modified INTEGER NOT NULL, changed INTEGER NOT NULL, inode INTEGER NOT NULL,
  PRIMARY KEY (collection, name)
) WITHOUT ROWID;
-- Versions that were published, the present one among them.
CREATE TABLE history (
  document_id TEXT NOT NULL, published_at REAL NOT NULL, sha256 TEXT NOT NULL, settings TEXT NOT NULL,
  size INTEGER NOT NULL, chunks INTEGER NOT NULL, embedded INTEGER NOT NULL
);
CREATE INDEX history_by_document ON history (document_id, published_at);
-- The queue. One job for a document: a newer upload takes the place of an older one.
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  collection TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
  path TEXT NOT NULL, root TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('queued', 'paused', 'parsing', 'embedding', 'published', 'unchanged', 'failed', 'cancelled')),
  page INTEGER, pages INTEGER, chunks INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', remedy TEXT NOT NULL DEFAULT '',
  at REAL NOT NULL, revision INTEGER NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, priority DESC, at);
CREATE INDEX jobs_by_revision ON jobs (revision);
INSERT INTO jobs (id, collection, name, sha256, size, path, root, priority, state, message, remedy, at, revision)
  SELECT id, collection, name, sha256, size, '', '', 10, replace(state, 'running', 'queued'), message, remedy, at, rowid
  FROM uploads;
DROP TABLE uploads;
"""

_OWNERS = """
-- Who holds it: the name of a caller, empty for the owner of the data directory, whose all were that there are.
ALTER TABLE conversations ADD COLUMN owner TEXT NOT NULL DEFAULT '';
CREATE INDEX conversations_by_owner ON conversations (owner, changed_at);
DROP INDEX conversations_by_time;
"""

_LINES = """
-- Of the text of an element: [[end, page, left, top, right, bottom], ...]; [] where they are not known.
ALTER TABLE elements ADD COLUMN lines TEXT NOT NULL DEFAULT '[]';
CREATE INDEX elements_by_page ON elements (document_id, page);
"""

_SENDERS = """
-- The name of the caller who sent it; empty for the owner of the data directory.
ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE feedback ADD COLUMN owner TEXT NOT NULL DEFAULT '';
"""

MIGRATIONS: tuple[str, ...] = (
    _FIRST,
    _WINDOWS,
    _FEEDBACK,
    _FILTERS,
    _SPELLINGS,
    _CONVERSATIONS,
    _VERSIONS,
    _JOBS,
    _OWNERS,
    _LINES,
    _SENDERS,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Brings the file to the current version, each step in a transaction. Raises StoreCorrupt for a newer file."""
    _define_functions(connection)
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > len(MIGRATIONS):
        raise StoreCorrupt(
            f"The library has schema version {found}; this Tuwen knows versions up to {len(MIGRATIONS)}.",
            "Install the Tuwen that wrote it, or a newer one.",
        )
    for version in range(found, len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{MIGRATIONS[version]}\nPRAGMA user_version = {version + 1};\nCOMMIT;"
        )


def _define_functions(connection: sqlite3.Connection) -> None:
    """What the triggers call: only the writing connection needs it."""
    connection.create_function("tuwen_number", 1, lambda value: number_of(str(value)), deterministic=True)
    connection.create_function("tuwen_day", 1, lambda metadata: day_of(json.loads(metadata)), deterministic=True)
