-- Inbound receivers. A row stays when its source is taken away, for its number and id, which events are listed by.
-- `status`: 0 active, 1 paused, 2 disabled. `provider` is the one in `settings`, for the look-up that knows no more.
CREATE TABLE source (
    no bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL UNIQUE,
    tenant integer NOT NULL,
    provider text COLLATE "C" NOT NULL,
    settings text NOT NULL,
    secret bytea,
    secret_before bytea,
    secret_before_until_ms bigint,
    verify_token bytea,
    status smallint NOT NULL,
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    revision bigint NOT NULL,
    deleted boolean NOT NULL DEFAULT false
);
CREATE INDEX source_tenant ON source (tenant, no);
CREATE INDEX source_provider ON source (provider, no) WHERE NOT deleted;

-- What each node has counted of a source.
CREATE TABLE received (
    event_count bigint NOT NULL,
    last_event_ms bigint NOT NULL,
    source uuid NOT NULL,
    tenant integer NOT NULL,
    node smallint NOT NULL,
    PRIMARY KEY (tenant, source, node)
) WITH (fillfactor = 70);

-- Events received while their source was paused, until they are released.
CREATE TABLE held (
    key bigint NOT NULL,
    source uuid NOT NULL,
    tenant integer NOT NULL,
    node smallint NOT NULL,
    PRIMARY KEY (tenant, source, key, node)
);
CREATE INDEX event_source ON event (tenant, source, key, node) WHERE source IS NOT NULL;
