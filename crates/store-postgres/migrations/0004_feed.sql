-- Attempts that ended, in the order a node wrote them: a row for each tenant of a commit. Keys are drawn from the same
-- numbers as those of the node's events, so that both have one order. `ids` are the attempts' places.
CREATE TABLE feed (
    key bigint NOT NULL,
    tenant integer NOT NULL,
    node smallint NOT NULL,
    ids bytea NOT NULL,
    PRIMARY KEY (tenant, node, key)
);

-- Jobs that make many deliveries due again. `status`: 0 running, 1 done, 2 cancelled, 3 failed. Everything up to `at_key`,
-- `at_node` and `at_target` has been done; `owner` and `incarnation` are the process that works on it, until `lease_ms`
-- by the database's own time.
CREATE TABLE job (
    no bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL UNIQUE,
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    recovery text NOT NULL,
    status smallint NOT NULL,
    total bigint NOT NULL,
    done bigint NOT NULL,
    at_key bigint NOT NULL,
    at_target integer NOT NULL,
    at_node smallint NOT NULL,
    owner smallint NOT NULL,
    incarnation bigint NOT NULL,
    lease_ms bigint NOT NULL,
    error text,
    created_ms bigint NOT NULL,
    finished_ms bigint
);
CREATE INDEX job_tenant ON job (tenant, no);
CREATE INDEX job_running ON job (no) WHERE status = 0;
