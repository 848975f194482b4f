-- What is stored: ordered maps of keys to values, one for each tbl. Names are compared byte by byte.
CREATE TABLE niobot_record (
    tbl   TEXT COLLATE "C" NOT NULL,
    key   BYTEA NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (tbl, key)
);

-- What is known of the store itself: version, user_id, device_id.
CREATE TABLE niobot_meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row, which says how often the store was claimed, and how many commits were made in all. It is often changed, so
-- its page has room for new versions of the row.
CREATE TABLE niobot_claim (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    epoch    BIGINT NOT NULL,
    commits  BIGINT NOT NULL
) WITH (fillfactor = 10);

INSERT INTO niobot_claim (epoch, commits) VALUES (0, 0);
