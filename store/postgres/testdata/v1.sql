-- A store as version 1 of the schema left it. It is never changed: every later version has to take it over.
CREATE TABLE niobot_record (
    tbl   TEXT COLLATE "C" NOT NULL,
    key   BYTEA NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (tbl, key)
);

CREATE TABLE niobot_meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE niobot_claim (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    epoch    BIGINT NOT NULL,
    commits  BIGINT NOT NULL
) WITH (fillfactor = 10);

INSERT INTO niobot_claim (epoch, commits) VALUES (7, 1234);

INSERT INTO niobot_meta (name, value) VALUES
    ('version', '1'), ('user_id', '@bot:example.org'), ('device_id', 'BOTDEVICE');

INSERT INTO niobot_record (tbl, key, value) VALUES
    ('sync', 'token', 's72_1'),
    ('state', '\x2100ff', '\x00ff'),
    ('state', '\x21ff', '');
