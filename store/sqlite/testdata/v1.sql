-- A store as version 1 of the schema left it. It is never changed: every later version has to take it over.
PRAGMA application_id = 1852403554;
PRAGMA journal_mode = WAL;

CREATE TABLE niobot_record (
    tbl   TEXT NOT NULL,
    key   BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;

CREATE TABLE niobot_meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO niobot_meta (name, value) VALUES
    ('version', '1'), ('user_id', '@bot:example.org'), ('device_id', 'BOTDEVICE');

INSERT INTO niobot_record (tbl, key, value) VALUES
    ('sync', CAST('token' AS BLOB), CAST('s72_1' AS BLOB)),
    ('state', x'2100ff', x'00ff'),
    ('state', x'21ff', x'');
