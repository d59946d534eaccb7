-- The index. The twin in ../sqlite says the same for SQLite; keep them in step.
-- Text that is compared or sorted is COLLATE "C", bytes: S3 key order, as SQLite has it.

CREATE TABLE node (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid TEXT COLLATE "C" NOT NULL UNIQUE,
    -- No foreign key: 0 (root) and -1 (limbo) are no rows.
    parent BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    -- name, or name/ for a collection
    sort_key TEXT COLLATE "C" NOT NULL,
    -- 0 leaf, 1 collection
    kind SMALLINT NOT NULL CHECK (kind IN (0, 1)),
    size BIGINT NOT NULL CHECK (size >= 0),
    mtime_ns BIGINT NOT NULL,
    created_ns BIGINT NOT NULL,
    etag TEXT NOT NULL,
    mime TEXT NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    -- JSON object, or empty
    attributes TEXT NOT NULL,
    UNIQUE (parent, name)
);
CREATE UNIQUE INDEX node_order ON node (parent, sort_key);
CREATE INDEX node_content ON node (content) WHERE content <> '' AND content <> 'p';

CREATE TABLE meta (
    node BIGINT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    namespace TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (node, namespace, name)
);

CREATE TABLE version (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    node BIGINT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    size BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    etag TEXT NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    principal TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);
CREATE INDEX version_node ON version (node, at_ns);
CREATE INDEX version_content ON version (content) WHERE content <> '' AND content <> 'p';

CREATE TABLE lock (
    token TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    node BIGINT NOT NULL REFERENCES node (id) ON DELETE CASCADE,
    principal TEXT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    deep SMALLINT NOT NULL,
    shared SMALLINT NOT NULL,
    door TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    expires_ns BIGINT NOT NULL
);
CREATE INDEX lock_node ON lock (node);

CREATE TABLE change (
    -- Follows commit order, because writers hold an advisory lock from here to their commit.
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node BIGINT NOT NULL,
    uuid TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    collection SMALLINT NOT NULL,
    from_path TEXT,
    to_path TEXT,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    principal TEXT NOT NULL,
    door TEXT NOT NULL,
    at_ns BIGINT NOT NULL
);

CREATE TABLE upload (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    path TEXT NOT NULL,
    datasource TEXT NOT NULL,
    principal TEXT NOT NULL,
    door TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    expires_ns BIGINT NOT NULL,
    mime TEXT,
    mtime_ns BIGINT,
    attributes TEXT NOT NULL
);

CREATE TABLE upload_part (
    upload TEXT COLLATE "C" NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    at_ns BIGINT NOT NULL,
    digests TEXT NOT NULL,
    PRIMARY KEY (upload, number)
);
CREATE INDEX upload_part_content ON upload_part (content) WHERE content <> '' AND content <> 'p';

-- Small contents.
CREATE TABLE inline (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    bytes BYTEA NOT NULL
);

-- The pieces of contents in several pieces. Rows, not a list in one column, so that a blob known
-- only from such a list is found by its id.
CREATE TABLE extent (
    list TEXT COLLATE "C" NOT NULL,
    ordinal BIGINT NOT NULL,
    content TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (list, ordinal)
);
CREATE INDEX extent_content ON extent (content);

-- Blobs that nothing refers to any more and that are still to be removed.
CREATE TABLE discarded (
    blob TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    datasource TEXT NOT NULL
);

CREATE TABLE record (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    expires_ns BIGINT,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX record_name ON record (kind, name) WHERE name <> '';
CREATE INDEX record_owner ON record (kind, owner);
CREATE INDEX record_expires ON record (kind, expires_ns) WHERE expires_ns IS NOT NULL;
