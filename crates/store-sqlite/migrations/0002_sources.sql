-- Inbound receivers. A row stays when its source is taken away, for its number and id, which events are listed by.
-- `status`: 0 active, 1 paused, 2 disabled. `provider` is the one in `settings`, for the look-up that knows no more.
CREATE TABLE source (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    provider TEXT NOT NULL,
    settings TEXT NOT NULL,
    secret BLOB,
    secret_before BLOB,
    secret_before_until_ms INTEGER,
    verify_token BLOB,
    status INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    event_count INTEGER NOT NULL DEFAULT 0,
    last_event_ms INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX source_tenant ON source (tenant, no) WHERE deleted = 0;
CREATE INDEX source_provider ON source (provider, no) WHERE deleted = 0;

-- Events received while their source was paused, until they are released.
CREATE TABLE held (
    source INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (source, event)
) STRICT, WITHOUT ROWID;

-- In `once`, `kind` 2 is what repetitions of a received request share. In `list_run`, list -n belongs to source n.
