-- Attempts that ended, in the order they were written: a row for each tenant of a commit. Keys are drawn from the same
-- numbers as those of events, so that both have one order. `ids` are the attempts' places.
CREATE TABLE feed (
    key INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    ids BLOB NOT NULL
) STRICT;
