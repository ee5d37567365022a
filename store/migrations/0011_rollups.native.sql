-- Readings rolled up for charts, kept up by store/rollups.py: new batches are added to the buckets
-- their readings fall in, so late readings reach theirs. Buckets are of identity time, in UTC.
CREATE TABLE rollup_1m (
    device text COLLATE "C" NOT NULL,
    metric text COLLATE "C" NOT NULL,
    bucket timestamptz NOT NULL,
    n bigint NOT NULL,
    total double precision NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    PRIMARY KEY (device, metric, bucket)
);
CREATE INDEX rollup_1m_bucket ON rollup_1m USING brin (bucket);
CREATE TABLE rollup_15m (LIKE rollup_1m INCLUDING ALL);
CREATE TABLE rollup_1h (LIKE rollup_1m INCLUDING ALL);

-- Up to which batch of a writer the roll-ups have everything.
CREATE TABLE rollup_marks (
    writer text PRIMARY KEY,
    batch bigint NOT NULL
);
