-- Numbers over time. `endpoint` 0 is the tenant as a whole. What is counted now is clustered by minute, so that a commit to
-- many endpoints touches few pages; `incarnation` is that of the process, which writes rows of its own alone.
CREATE TABLE tally_now (
    minute INTEGER NOT NULL,
    tenant INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    tally BLOB NOT NULL,
    PRIMARY KEY (minute, tenant, endpoint, incarnation)
) STRICT, WITHOUT ROWID;

-- What was counted longer ago, in spans of so many seconds.
CREATE TABLE tally_past (
    tenant INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    span_s INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    tally BLOB NOT NULL,
    PRIMARY KEY (tenant, endpoint, span_s, at_s)
) STRICT, WITHOUT ROWID;
CREATE INDEX tally_past_age ON tally_past (span_s, at_s);
