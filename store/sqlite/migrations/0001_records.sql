-- "niob", by which tools such as file(1) can tell whose file it is.
PRAGMA application_id = 1852403554;

-- What is stored: ordered maps of keys to values, one for each tbl.
CREATE TABLE niobot_record (
    tbl   TEXT NOT NULL,
    key   BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;

-- What is known of the store itself: version, user_id, device_id.
CREATE TABLE niobot_meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
