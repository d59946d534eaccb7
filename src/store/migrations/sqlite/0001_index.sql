-- The index. The twin in ../postgres says the same for PostgreSQL; keep them in step.
-- Text compares as bytes (BINARY, SQLite's default): S3 key order.

CREATE TABLE node (
    -- AUTOINCREMENT: an id is never used again, also not after the newest node was removed.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    -- No foreign key: 0 (root) and -1 (limbo) are no rows.
    parent INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- name, or name/ for a collection
    sort_key TEXT NOT NULL,
    -- 0 leaf, 1 collection
    kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
    size INTEGER NOT NULL CHECK (size >= 0),
    mtime_ns INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    etag TEXT NOT NULL,
    mime TEXT NOT NULL,
    content TEXT NOT NULL,
    -- JSON object, or empty
    attributes TEXT NOT NULL,
    UNIQUE (parent, name)
) STRICT;
CREATE UNIQUE INDEX node_order ON node (parent, sort_key);
CREATE INDEX node_content ON node (content) WHERE content <> '' AND content <> 'p';

CREATE TABLE meta (
    node INTEGER NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (node, namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE version (
    id TEXT NOT NULL PRIMARY KEY,
    node INTEGER NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    etag TEXT NOT NULL,
    content TEXT NOT NULL,
    principal TEXT NOT NULL,
    at_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX version_node ON version (node, at_ns);
CREATE INDEX version_content ON version (content) WHERE content <> '' AND content <> 'p';

CREATE TABLE lock (
    token TEXT NOT NULL PRIMARY KEY,
    node INTEGER NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    principal TEXT NOT NULL,
    owner TEXT NOT NULL,
    deep INTEGER NOT NULL,
    shared INTEGER NOT NULL,
    door TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX lock_node ON lock (node);

CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    node INTEGER NOT NULL,
    uuid TEXT NOT NULL,
    kind TEXT NOT NULL,
    collection INTEGER NOT NULL,
    from_path TEXT,
    to_path TEXT,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    principal TEXT NOT NULL,
    door TEXT NOT NULL,
    at_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE upload (
    id TEXT NOT NULL PRIMARY KEY,
    path TEXT NOT NULL,
    datasource TEXT NOT NULL,
    principal TEXT NOT NULL,
    door TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL,
    mime TEXT,
    mtime_ns INTEGER,
    attributes TEXT NOT NULL
) STRICT;

CREATE TABLE upload_part (
    upload TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    content TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    digests TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_part_content ON upload_part (content) WHERE content <> '' AND content <> 'p';

-- Small contents.
CREATE TABLE inline (
    id TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- The pieces of contents in several pieces. Rows, not a list in one column, so that a blob known
-- only from such a list is found by its id.
CREATE TABLE extent (
    list TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    content TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (list, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX extent_content ON extent (content);

-- Blobs that nothing refers to any more and that are still to be removed.
CREATE TABLE discarded (
    blob TEXT NOT NULL PRIMARY KEY,
    datasource TEXT NOT NULL
) STRICT;

CREATE TABLE record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    expires_ns INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_name ON record (kind, name) WHERE name <> '';
CREATE INDEX record_owner ON record (kind, owner);
CREATE INDEX record_expires ON record (kind, expires_ns) WHERE expires_ns IS NOT NULL;
