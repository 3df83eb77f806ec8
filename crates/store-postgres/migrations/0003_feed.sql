-- Attempts that ended, in the order a node wrote them: a row for each tenant of a commit. Keys are drawn from the same
-- numbers as those of the node's events, so that both have one order. `ids` are the attempts' places.
CREATE TABLE feed (
    key bigint NOT NULL,
    tenant integer NOT NULL,
    node smallint NOT NULL,
    ids bytea NOT NULL,
    PRIMARY KEY (tenant, node, key)
);
