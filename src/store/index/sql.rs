//! Every statement of the index, one constant each.
//!
//! Placeholders are `$1`, `$2`, … in the order of their first appearance: SQLite numbers named
//! parameters that way, PostgreSQL by their digits, so both bind alike. Where the dialects differ
//! the two texts stand side by side with the reason. A test prepares all of them on both engines.

/// One statement in both dialects.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

const fn same(text: &'static str) -> Sql {
    Sql { sqlite: text, postgres: text }
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub const $name: Sql = $sql;)*
        /// All statements by name, for the tests.
        #[cfg(test)]
        pub const ALL: &[(&str, Sql)] = &[$((stringify!($name), $name)),*];
    };
}

// Column lists, in the order in which `rows.rs` reads them.
macro_rules! node {
    () => {
        "id, uuid, parent, name, kind, size, mtime_ns, created_ns, etag, mime, content, attributes, version"
    };
    ($of:literal) => {
        concat!(
            $of,
            ".id, ",
            $of,
            ".uuid, ",
            $of,
            ".parent, ",
            $of,
            ".name, ",
            $of,
            ".kind, ",
            $of,
            ".size, ",
            $of,
            ".mtime_ns, ",
            $of,
            ".created_ns, ",
            $of,
            ".etag, ",
            $of,
            ".mime, ",
            $of,
            ".content, ",
            $of,
            ".attributes, ",
            $of,
            ".version"
        )
    };
}
macro_rules! lock {
    () => {
        "token, node, principal, owner, deep, shared, door, created_ns, expires_ns"
    };
}
macro_rules! version {
    () => {
        "id, node, size, mtime_ns, etag, content, principal, at_ns, mime, attributes, unversioned, marker"
    };
}
macro_rules! change {
    () => {
        "node, uuid, kind, collection, from_path, to_path, size, etag, principal, door, at_ns"
    };
}
macro_rules! upload {
    () => {
        "id, path, datasource, principal, door, created_ns, expires_ns, mime, mtime_ns, attributes"
    };
}
macro_rules! part {
    () => {
        "upload, number, size, etag, content, at_ns, digests"
    };
}
macro_rules! record {
    () => {
        "kind, id, name, owner, expires_ns, body"
    };
}

statements! {
    // Nodes.
    NODE = same(concat!("SELECT ", node!(), " FROM node WHERE id = $1"));
    NODE_BY_UUID = same(concat!("SELECT ", node!(), " FROM node WHERE uuid = $1"));
    CHILD = same(concat!("SELECT ", node!(), " FROM node WHERE parent = $1 AND name = $2"));
    /// SQLite answers a path by one [`CHILD`] per name: a call into the library costs less than the
    /// plan of a recursive query. Over a wire the round trips cost, so PostgreSQL walks by itself.
    CHAIN = Sql {
        sqlite: CHILD.sqlite,
        postgres: concat!(
            "WITH RECURSIVE walk AS (",
            "SELECT n.*, 1 AS step FROM node AS n ",
            "WHERE n.parent = $1 AND n.name = (CAST($2 AS TEXT[]))[1] ",
            "UNION ALL SELECT n.*, walk.step + 1 FROM walk JOIN node AS n ",
            "ON n.parent = walk.id AND n.name = (CAST($2 AS TEXT[]))[walk.step + 1]",
            ") SELECT ", node!(), " FROM walk ORDER BY step"
        ),
    };
    /// The bound on the depth is no rule, it ends the walk should a cycle ever come to be.
    ANCESTRY = same(concat!(
        "WITH RECURSIVE up (id, parent, height) AS (",
        "SELECT id, parent, 0 FROM node WHERE id = $1 ",
        "UNION ALL SELECT n.id, n.parent, up.height + 1 FROM up JOIN node AS n ON n.id = up.parent ",
        "WHERE up.height < 1000",
        ") SELECT ", node!("n"), " FROM up JOIN node AS n ON n.id = up.id ORDER BY up.height DESC"
    ));
    CHILDREN = same(concat!(
        "SELECT ", node!(), " FROM node WHERE parent = $1 AND sort_key >= $2 ",
        "ORDER BY sort_key LIMIT $3"
    ));
    CHILDREN_BELOW = same(concat!(
        "SELECT ", node!(), " FROM node WHERE parent = $1 AND sort_key >= $2 AND sort_key < $3 ",
        "ORDER BY sort_key LIMIT $4"
    ));
    /// PostgreSQL sums BIGINT as NUMERIC, hence the cast.
    COUNT_CHILDREN = same(
        "SELECT count(*) FILTER (WHERE kind = 0), count(*) FILTER (WHERE kind = 1), \
         CAST(coalesce(sum(size) FILTER (WHERE kind = 0), 0) AS BIGINT) FROM node WHERE parent = $1"
    );
    /// One look per node, however many children it has.
    OCCUPIED = Sql {
        sqlite: "SELECT id FROM node WHERE id IN (SELECT value FROM json_each($1)) \
                 AND EXISTS (SELECT 1 FROM node AS child WHERE child.parent = node.id) ORDER BY id",
        postgres: "SELECT id FROM node WHERE id = ANY(CAST($1 AS BIGINT[])) \
                   AND EXISTS (SELECT 1 FROM node AS child WHERE child.parent = node.id) ORDER BY id",
    };
    /// No row comes back when the name or the uuid is taken: an error would spoil the transaction on
    /// PostgreSQL, and a mutation may want to go on with another name.
    INSERT_NODE = same(
        "INSERT INTO node (uuid, parent, name, sort_key, kind, size, mtime_ns, created_ns, etag, mime, \
         content, attributes, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT DO NOTHING RETURNING id"
    );
    /// Touches no row when the name is taken; see [`INSERT_NODE`].
    UPDATE_NODE = same(
        "UPDATE node SET uuid = $1, parent = $2, name = $3, sort_key = $4, kind = $5, size = $6, \
         mtime_ns = $7, created_ns = $8, etag = $9, mime = $10, content = $11, attributes = $12, \
         version = $13 WHERE id = $14 AND NOT EXISTS (SELECT 1 FROM node AS other \
         WHERE other.parent = $2 AND other.name = $3 AND other.id <> $14)"
    );
    TOUCH = same("UPDATE node SET mtime_ns = $1, etag = $2 WHERE id = $3");
    DELETE_NODE = same(
        "DELETE FROM node WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM node AS below WHERE below.parent = $1)"
    );

    // Metadata.
    /// A list of ids is an array to PostgreSQL and JSON to SQLite.
    META = Sql {
        sqlite: "SELECT node, namespace, name, value FROM meta \
                 WHERE node IN (SELECT value FROM json_each($1)) \
                 AND (CAST($2 AS TEXT) IS NULL OR namespace = $2) ORDER BY node, namespace, name",
        postgres: "SELECT node, namespace, name, value FROM meta WHERE node = ANY(CAST($1 AS BIGINT[])) \
                   AND (CAST($2 AS TEXT) IS NULL OR namespace = $2) ORDER BY node, namespace, name",
    };
    SET_META = same(
        "INSERT INTO meta (node, namespace, name, value) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (node, namespace, name) DO UPDATE SET value = excluded.value"
    );
    DELETE_META = same("DELETE FROM meta WHERE node = $1 AND namespace = $2 AND name = $3");
    CLEAR_META = same("DELETE FROM meta WHERE node = $1 AND namespace = $2");
    COPY_META = same(
        "INSERT INTO meta (node, namespace, name, value) \
         SELECT CAST($1 AS BIGINT), namespace, name, value FROM meta WHERE node = $2 AND namespace = $3"
    );

    // Versions.
    VERSIONS = Sql {
        sqlite: concat!(
            "SELECT ", version!(), " FROM version WHERE node IN (SELECT value FROM json_each($1)) ",
            "ORDER BY node, at_ns DESC, id"
        ),
        postgres: concat!(
            "SELECT ", version!(), " FROM version WHERE node = ANY(CAST($1 AS BIGINT[])) ",
            "ORDER BY node, at_ns DESC, id"
        ),
    };
    INSERT_VERSION = same(concat!(
        "INSERT INTO version (", version!(), ") ",
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    ));
    MOVE_VERSIONS = same("UPDATE version SET node = $1 WHERE node = $2");
    DELETE_VERSION = same("DELETE FROM version WHERE id = $1");

    // Contents.
    INLINE = same("SELECT bytes FROM inline WHERE id = $1");
    PUT_INLINE = same(
        "INSERT INTO inline (id, bytes) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes"
    );
    DELETE_INLINE = same("DELETE FROM inline WHERE id = $1");
    EXTENTS = same("SELECT content, start, size FROM extent WHERE list = $1 ORDER BY ordinal");
    /// The whole list in one call; the JSON functions are not alike.
    PUT_EXTENTS = Sql {
        sqlite: "INSERT INTO extent (list, ordinal, content, start, size) \
                 SELECT $1, key, json_extract(value, '$.content'), json_extract(value, '$.start'), \
                        json_extract(value, '$.size') \
                 FROM json_each($2)",
        postgres: "INSERT INTO extent (list, ordinal, content, start, size) \
                   SELECT $1, piece.ordinal, piece.value ->> 'content', \
                          CAST(piece.value ->> 'start' AS BIGINT), CAST(piece.value ->> 'size' AS BIGINT) \
                   FROM jsonb_array_elements(CAST(CAST($2 AS TEXT) AS JSONB)) \
                   WITH ORDINALITY AS piece (value, ordinal)",
    };
    DELETE_EXTENTS = same("DELETE FROM extent WHERE list = $1");
    /// A row when anything refers to the content. The repeated conditions are those of the partial
    /// indexes, which serve only queries that state them.
    REFERENCES_TO = same(
        "SELECT 1 FROM node WHERE content = $1 AND content <> '' AND content <> 'p' \
         UNION ALL SELECT 1 FROM version WHERE content = $1 AND content <> '' AND content <> 'p' \
         UNION ALL SELECT 1 FROM upload_part WHERE content = $1 AND content <> '' AND content <> 'p' \
         UNION ALL SELECT 1 FROM extent WHERE content = $1 LIMIT 1"
    );
    DISCARD_BLOB = same(
        "INSERT INTO discarded (blob, datasource) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    );
    DISCARDED_BLOBS = same("SELECT datasource, blob FROM discarded ORDER BY blob LIMIT $1");
    FORGET_BLOB = same("DELETE FROM discarded WHERE blob = $1");

    // Locks.
    LOCKS_ON = Sql {
        sqlite: concat!(
            "SELECT ", lock!(), " FROM lock WHERE node IN (SELECT value FROM json_each($1)) ",
            "AND expires_ns > $2 ORDER BY created_ns, token"
        ),
        postgres: concat!(
            "SELECT ", lock!(), " FROM lock WHERE node = ANY(CAST($1 AS BIGINT[])) ",
            "AND expires_ns > $2 ORDER BY created_ns, token"
        ),
    };
    /// Walks up from each lock, because there are few locks and may be many nodes below.
    LOCKS_BELOW = same(concat!(
        "WITH RECURSIVE up (token, parent, height) AS (",
        "SELECT lock.token, node.parent, 0 FROM lock JOIN node ON node.id = lock.node ",
        "WHERE lock.expires_ns > $1 ",
        "UNION ALL SELECT up.token, n.parent, up.height + 1 FROM up JOIN node AS n ON n.id = up.parent ",
        "WHERE up.parent <> $2 AND up.height < 1000",
        ") SELECT ", lock!(), " FROM lock WHERE token IN (SELECT token FROM up WHERE parent = $2) ",
        "ORDER BY created_ns, token"
    ));
    LOCKS = same(concat!(
        "SELECT ", lock!(), " FROM lock WHERE expires_ns > $1 ORDER BY created_ns, token"
    ));
    LOCK = same(concat!("SELECT ", lock!(), " FROM lock WHERE token = $1 AND expires_ns > $2"));
    PUT_LOCK = same(concat!(
        "INSERT INTO lock (", lock!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ",
        "ON CONFLICT (token) DO UPDATE SET node = excluded.node, principal = excluded.principal, ",
        "owner = excluded.owner, deep = excluded.deep, shared = excluded.shared, door = excluded.door, ",
        "created_ns = excluded.created_ns, expires_ns = excluded.expires_ns"
    ));
    DELETE_LOCK = same("DELETE FROM lock WHERE token = $1");
    DELETE_EXPIRED_LOCKS = same("DELETE FROM lock WHERE expires_ns <= $1");

    // The change feed.
    CHANGES = same(concat!(
        "SELECT seq, ", change!(), " FROM change WHERE seq > $1 ORDER BY seq LIMIT $2"
    ));
    LAST_CHANGE = same("SELECT coalesce(max(seq), 0) FROM change");
    APPEND_CHANGE = same(concat!(
        "INSERT INTO change (", change!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ",
        "RETURNING seq"
    ));

    // Uploads.
    UPLOAD = same(concat!("SELECT ", upload!(), " FROM upload WHERE id = $1"));
    UPLOADS = same(concat!("SELECT ", upload!(), " FROM upload ORDER BY created_ns, id"));
    PUT_UPLOAD = same(concat!(
        "INSERT INTO upload (", upload!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ",
        "ON CONFLICT (id) DO UPDATE SET path = excluded.path, datasource = excluded.datasource, ",
        "principal = excluded.principal, door = excluded.door, created_ns = excluded.created_ns, ",
        "expires_ns = excluded.expires_ns, mime = excluded.mime, mtime_ns = excluded.mtime_ns, ",
        "attributes = excluded.attributes"
    ));
    DELETE_UPLOAD = same("DELETE FROM upload WHERE id = $1");
    PART = same(concat!("SELECT ", part!(), " FROM upload_part WHERE upload = $1 AND number = $2"));
    PARTS = same(concat!(
        "SELECT ", part!(), " FROM upload_part WHERE upload = $1 AND number > $2 ORDER BY number LIMIT $3"
    ));
    /// Touches no row when there is no such upload; see [`INSERT_NODE`].
    PUT_PART = same(concat!(
        "INSERT INTO upload_part (", part!(), ") SELECT $1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), $4, $5, ",
        "CAST($6 AS BIGINT), $7 WHERE EXISTS (SELECT 1 FROM upload WHERE id = $1) ",
        "ON CONFLICT (upload, number) DO UPDATE SET size = excluded.size, etag = excluded.etag, ",
        "content = excluded.content, at_ns = excluded.at_ns, digests = excluded.digests"
    ));

    // Records.
    RECORD = same(concat!("SELECT ", record!(), " FROM record WHERE kind = $1 AND id = $2"));
    /// `name <> ''` is the condition of the partial index.
    RECORD_BY_NAME = same(concat!(
        "SELECT ", record!(), " FROM record WHERE kind = $1 AND name = $2 AND name <> ''"
    ));
    RECORDS = same(concat!("SELECT ", record!(), " FROM record WHERE kind = $1 ORDER BY name, id"));
    RECORDS_OF = same(concat!(
        "SELECT ", record!(), " FROM record WHERE kind = $1 AND owner = $2 ORDER BY name, id"
    ));
    /// Touches no row when another record of the kind has the name; see [`INSERT_NODE`].
    PUT_RECORD = same(concat!(
        "INSERT INTO record (", record!(), ") SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), $6 ",
        "WHERE NOT EXISTS (SELECT 1 FROM record AS other ",
        "WHERE other.kind = $1 AND other.name = $3 AND other.name <> '' AND other.id <> $2) ",
        "ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, owner = excluded.owner, ",
        "expires_ns = excluded.expires_ns, body = excluded.body"
    ));
    DELETE_RECORD = same("DELETE FROM record WHERE kind = $1 AND id = $2");
    DELETE_EXPIRED_RECORDS = same("DELETE FROM record WHERE kind = $1 AND expires_ns <= $2");
}
