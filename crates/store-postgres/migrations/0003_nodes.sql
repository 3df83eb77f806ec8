-- What each node does, and what was taken over of those that are not there. `status`: 0 serving, 1 left, 2 lost, 3 gone.
-- `process` tells processes of one name apart; `taken` is the last endpoint that was taken over whole.
ALTER TABLE node
    ADD COLUMN status smallint NOT NULL DEFAULT 0,
    ADD COLUMN process uuid,
    ADD COLUMN started_ms bigint NOT NULL DEFAULT 0,
    ADD COLUMN taken integer NOT NULL DEFAULT 0;

-- Endpoints that one node alone sends to: those that keep their order, and those with a rate. Whoever accepts an event for
-- one gives it to that node, under a share of this row's lock, so that nothing is given to a node that is taken over.
CREATE TABLE sender (
    tenant integer NOT NULL,
    endpoint integer NOT NULL,
    node smallint NOT NULL,
    PRIMARY KEY (tenant, endpoint)
);
CREATE INDEX sender_node ON sender (node);

-- When something of a tenant was changed last, by the database's clock: what nodes look for that heard no hint.
ALTER TABLE tenant ADD COLUMN moved_ms bigint NOT NULL DEFAULT 0;
CREATE INDEX tenant_moved ON tenant (moved_ms);
