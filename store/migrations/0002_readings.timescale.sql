-- Readings as a TimescaleDB hypertable, one chunk per day of identity time. Compression and
-- retention are called by store/retention.py with the service's own clock, not by TimescaleDB's
-- background jobs, which follow the server's.
CREATE TABLE readings (
    device text COLLATE "C" NOT NULL,
    metric text COLLATE "C" NOT NULL,
    ts timestamptz NOT NULL,
    ident bigint NOT NULL,
    value double precision NOT NULL,
    received_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    quality integer NOT NULL,
    sent_at timestamptz,
    boot bigint NOT NULL,
    seq bigint,
    writer text NOT NULL,
    batch bigint NOT NULL,
    pos integer NOT NULL
);

SELECT create_hypertable(
    'readings', 'ts', chunk_time_interval => interval '1 day', create_default_indexes => false
);

-- ident: 0 for readings with a time of their own; else made from (boot, seq) or (batch, pos).
CREATE UNIQUE INDEX readings_identity ON readings (device, metric, ts, ident);
CREATE INDEX readings_batch ON readings USING brin (writer, batch) WITH (pages_per_range = 32);

ALTER TABLE readings SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'device, metric',
    timescaledb.compress_orderby = 'ts, ident'
);
