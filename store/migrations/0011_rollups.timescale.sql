-- Readings rolled up for charts: continuous aggregates, each level over the one below. They are
-- refreshed by store/rollups.py over the times of new batches, late readings included; what is
-- newer than the last refresh is aggregated while it is read.
CREATE MATERIALIZED VIEW rollup_1m
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    device,
    metric,
    time_bucket('1 minute', ts) AS bucket,
    count(*) AS n,
    sum(value) AS total,
    min(value) AS low,
    max(value) AS high
FROM readings
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW rollup_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    device,
    metric,
    time_bucket('15 minutes', bucket) AS bucket,
    sum(n)::bigint AS n,
    sum(total) AS total,
    min(low) AS low,
    max(high) AS high
FROM rollup_1m
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW rollup_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    device,
    metric,
    time_bucket('1 hour', bucket) AS bucket,
    sum(n)::bigint AS n,
    sum(total) AS total,
    min(low) AS low,
    max(high) AS high
FROM rollup_15m
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE TABLE rollup_marks (
    writer text PRIMARY KEY,
    batch bigint NOT NULL
);
