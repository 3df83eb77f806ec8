-- Attempts that ended, in the order they were written: a row for each tenant of a commit. Keys are drawn from the same
-- numbers as those of events, so that both have one order. `ids` are the attempts' places.
CREATE TABLE feed (
    key INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    ids BLOB NOT NULL
) STRICT;

-- Jobs that make many deliveries due again. `status`: 0 running, 1 done, 2 cancelled, 3 failed. Everything up to
-- `at_event` and `at_target` has been done; `owner` is the incarnation that works on it.
CREATE TABLE job (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    recovery TEXT NOT NULL,
    status INTEGER NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    at_event INTEGER NOT NULL,
    at_target INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    error TEXT,
    created_ms INTEGER NOT NULL,
    finished_ms INTEGER
) STRICT;
CREATE INDEX job_tenant ON job (tenant, no);
CREATE INDEX job_running ON job (no) WHERE status = 0;
