-- Numbers over time. `endpoint` 0 is the tenant as a whole. What is counted now is clustered by minute; `incarnation` is that
-- of the node's process, which writes rows of its own alone, again and again for a minute.
CREATE TABLE tally_now (
    minute bigint NOT NULL,
    incarnation bigint NOT NULL,
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    node smallint NOT NULL,
    tally bytea NOT NULL,
    PRIMARY KEY (minute, tenant, endpoint, node, incarnation)
) WITH (fillfactor = 50);

-- What was counted longer ago, in spans of so many seconds.
CREATE TABLE tally_past (
    at_s bigint NOT NULL,
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    span_s integer NOT NULL,
    tally bytea NOT NULL,
    PRIMARY KEY (tenant, endpoint, span_s, at_s)
);
CREATE INDEX tally_past_age ON tally_past (span_s, at_s);
