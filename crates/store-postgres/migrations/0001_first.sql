-- Tenant first in every hot key; nothing here crosses tenants: no foreign key, no trigger. What grows with each event is
-- kept in partitions by day, which are made ahead and dropped whole (`days.rs`); what no day covers stands in `…_rest`.

-- Who serves from this store. `incarnation` counts the processes of one name: a commit of an earlier one is refused.
-- `last_key` is the last event key the node has given; its row is locked by each of its commits.
CREATE TABLE node (
    no smallint PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    incarnation bigint NOT NULL,
    last_key bigint NOT NULL,
    beat_ms bigint NOT NULL
) WITH (fillfactor = 50);

-- Facts that stand alone: `operator_key`.
CREATE TABLE meta (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE tenant (
    no integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id text COLLATE "C" NOT NULL,
    name text,
    profile text NOT NULL,
    limits text NOT NULL,
    retention_days integer NOT NULL,
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    version bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX tenant_id ON tenant (id) WHERE NOT deleted;

CREATE TABLE api_key (
    no bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL UNIQUE,
    tenant integer NOT NULL,
    name text NOT NULL,
    scopes text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    expires_ms bigint,
    created_ms bigint NOT NULL
);
CREATE INDEX api_key_tenant ON api_key (tenant, no);

CREATE TABLE endpoint (
    no integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL UNIQUE,
    tenant integer NOT NULL,
    settings text NOT NULL,
    headers bytea,
    secret bytea,
    secret_before bytea,
    secret_before_until_ms bigint,
    status smallint NOT NULL,
    disabled_reason smallint,
    disabled_ms bigint,
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    revision bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false
);
CREATE INDEX endpoint_tenant ON endpoint (tenant, no);

CREATE TABLE event_type (
    no bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tenant integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text,
    "group" text,
    schema text,
    sample text,
    deprecated boolean NOT NULL,
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    UNIQUE (tenant, name)
);
CREATE INDEX event_type_tenant ON event_type (tenant, no);

CREATE TABLE audit (
    no bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tenant integer NOT NULL,
    id uuid NOT NULL,
    at_ms bigint NOT NULL,
    actor text NOT NULL,
    origin text,
    action text NOT NULL,
    subject text NOT NULL,
    before text,
    after text
);
CREATE INDEX audit_tenant ON audit (tenant, no);

CREATE TABLE reply (
    owner text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    request bytea NOT NULL,
    taken_ms bigint NOT NULL,
    node smallint NOT NULL,
    incarnation bigint NOT NULL,
    answer bytea,
    PRIMARY KEY (owner, key)
);
CREATE INDEX reply_taken ON reply (taken_ms);

-- Accepted events, clustered by time. A key is unique within its node. `accepted_ms` is null where it is the key's own
-- millisecond; `fan_out` is the number of `targets`.
CREATE TABLE event (
    key bigint NOT NULL,
    accepted_ms bigint,
    occurred_ms bigint,
    tenant integer NOT NULL,
    fan_out integer NOT NULL,
    node smallint NOT NULL,
    source uuid,
    type text COLLATE "C" NOT NULL,
    scope text COLLATE "C",
    publisher_id bytea,
    targets bytea NOT NULL,
    extra bytea,
    data bytea NOT NULL,
    PRIMARY KEY (tenant, key, node)
) PARTITION BY RANGE (key);
CREATE TABLE event_rest PARTITION OF event DEFAULT;

-- What makes a publish happen once; lives as long as its event. `kind`: 0 publisher's id, 1 idempotency key, 2 what
-- repetitions of a received request share.
CREATE TABLE once (
    key bigint NOT NULL,
    accepted_ms bigint NOT NULL,
    tenant integer NOT NULL,
    deliveries integer NOT NULL,
    node smallint NOT NULL,
    kind smallint NOT NULL,
    text bytea NOT NULL,
    content bytea,
    PRIMARY KEY (tenant, kind, text)
);
CREATE INDEX once_event ON once (tenant, key, node);

-- A row appears when something happened to the delivery. `status`: 0 pending, 1 succeeded, 2 failed, 3 cancelled,
-- 4 discarded. `owner` is the node that makes the next attempt, `first` is attempt 1. The indexes are partial: what
-- succeeds at the first try touches none of them.
CREATE TABLE delivery (
    key bigint NOT NULL,
    due_ms bigint,
    created_ms bigint,
    updated_ms bigint NOT NULL,
    tenant integer NOT NULL,
    target integer NOT NULL,
    endpoint integer NOT NULL,
    attempts integer NOT NULL,
    code integer,
    node smallint NOT NULL,
    owner smallint NOT NULL,
    status smallint NOT NULL,
    reason smallint,
    set_off smallint NOT NULL,
    first bytea,
    PRIMARY KEY (tenant, key, node, target)
) PARTITION BY RANGE (key);
CREATE INDEX delivery_due ON delivery (tenant, endpoint, owner, due_ms, key, node, target) WHERE due_ms IS NOT NULL;
CREATE INDEX delivery_endpoint ON delivery (tenant, endpoint, status, key, node, target) WHERE status <> 1;
CREATE INDEX delivery_tenant ON delivery (tenant, status, key, node, target) WHERE status <> 1;
CREATE TABLE delivery_rest PARTITION OF delivery DEFAULT;

CREATE TABLE attempt (
    key bigint NOT NULL,
    tenant integer NOT NULL,
    target integer NOT NULL,
    number integer NOT NULL,
    node smallint NOT NULL,
    attempt bytea NOT NULL,
    PRIMARY KEY (tenant, key, node, target, number)
) PARTITION BY RANGE (key);
CREATE TABLE attempt_rest PARTITION OF attempt DEFAULT;

-- Where a node's lane stands and what the node has counted of its endpoint.
CREATE TABLE lane (
    mark bigint NOT NULL,
    delivery_count bigint NOT NULL,
    last_delivery_ms bigint,
    failing_since_ms bigint,
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    consecutive_failures integer NOT NULL,
    node smallint NOT NULL,
    PRIMARY KEY (tenant, endpoint, node)
) WITH (fillfactor = 70);

-- Which events name an endpoint: one row for each endpoint of a commit. `key` is the last event's, `keys` all of them,
-- which share its millisecond.
CREATE TABLE run (
    key bigint NOT NULL,
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    node smallint NOT NULL,
    keys bytea NOT NULL,
    PRIMARY KEY (tenant, endpoint, key, node)
) PARTITION BY RANGE (key);
CREATE TABLE run_rest PARTITION OF run DEFAULT;

-- Days that have partitions of their own, `event_d20600` and so on: the first, since 1970, and how many share them. Where
-- events were there already, none could be made.
CREATE TABLE day (
    no integer PRIMARY KEY,
    days integer NOT NULL,
    made boolean NOT NULL
);

-- Events replayed to an endpoint that was not among their targets.
CREATE TABLE replayed (
    key bigint NOT NULL,
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    node smallint NOT NULL,
    PRIMARY KEY (tenant, endpoint, key, node)
);
