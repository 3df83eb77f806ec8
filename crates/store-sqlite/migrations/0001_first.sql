-- Facts that stand alone: `high_key`, `floor_key`, `incarnation`, `operator_key`.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    name TEXT,
    profile TEXT NOT NULL,
    limits TEXT NOT NULL,
    retention_days INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX tenant_id ON tenant (id) WHERE deleted = 0;

CREATE TABLE api_key (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    expires_ms INTEGER,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX api_key_tenant ON api_key (tenant, no);

CREATE TABLE endpoint (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL,
    settings TEXT NOT NULL,
    headers BLOB,
    secret BLOB,
    secret_before BLOB,
    secret_before_until_ms INTEGER,
    status INTEGER NOT NULL,
    disabled_reason INTEGER,
    disabled_ms INTEGER,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX endpoint_tenant ON endpoint (tenant, no);

CREATE TABLE event_type (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    "group" TEXT,
    schema TEXT,
    sample TEXT,
    deprecated INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;
CREATE INDEX event_type_tenant ON event_type (tenant, no);

CREATE TABLE audit (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    id BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    origin TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT,
    after TEXT
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, no);

CREATE TABLE reply (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    taken_ms INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    answer BLOB,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX reply_taken ON reply (taken_ms);

-- Accepted events, clustered by time. The payload stands last, so that reading what stands before it never touches the
-- pages it overflows to. `accepted_ms` is null where it is the key's own millisecond.
CREATE TABLE event (
    key INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    type TEXT NOT NULL,
    scope TEXT,
    accepted_ms INTEGER,
    occurred_ms INTEGER,
    publisher_id TEXT,
    source BLOB,
    targets BLOB NOT NULL,
    extra BLOB,
    data BLOB NOT NULL
) STRICT;

-- What makes a publish happen once; lives as long as its event. `kind`: 0 publisher's id, 1 idempotency key.
CREATE TABLE once (
    tenant INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    event INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    content BLOB,
    PRIMARY KEY (tenant, kind, text)
) STRICT, WITHOUT ROWID;

-- A row appears when something happened to the delivery. `status`: 0 pending, 1 succeeded, 2 failed, 3 cancelled,
-- 4 discarded. `first` is attempt 1. The indexes are partial: what succeeds at the first try touches none of them.
CREATE TABLE delivery (
    event INTEGER NOT NULL,
    target INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    status INTEGER NOT NULL,
    reason INTEGER,
    attempts INTEGER NOT NULL,
    set_off INTEGER NOT NULL,
    due_ms INTEGER,
    created_ms INTEGER,
    updated_ms INTEGER NOT NULL,
    code INTEGER,
    first BLOB,
    PRIMARY KEY (event, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (endpoint, due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX delivery_endpoint ON delivery (endpoint, status, event) WHERE status <> 1;
CREATE INDEX delivery_tenant ON delivery (tenant, status, event) WHERE status <> 1;

CREATE TABLE attempt (
    event INTEGER NOT NULL,
    target INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    PRIMARY KEY (event, target, number)
) STRICT, WITHOUT ROWID;

-- Where a lane stands and what is counted of its endpoint.
CREATE TABLE lane (
    endpoint INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL,
    last_delivery_ms INTEGER,
    consecutive_failures INTEGER NOT NULL,
    failing_since_ms INTEGER
) STRICT;

-- Lists of event keys, as runs: list 2n belongs to tenant n, list 2n+1 to endpoint n.
CREATE TABLE list_run (
    list INTEGER NOT NULL,
    last_key INTEGER NOT NULL,
    keys BLOB NOT NULL,
    PRIMARY KEY (list, last_key)
) STRICT, WITHOUT ROWID;

-- Events replayed to an endpoint that was not among their targets.
CREATE TABLE replayed (
    endpoint INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (endpoint, event)
) STRICT, WITHOUT ROWID;
