-- Readings in daily partitions by identity time. Days that are not plausible (a device that says
-- 1970 or 2099) stay in the default partition; store/partitions.py makes and drops the others.
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
) PARTITION BY RANGE (ts);

-- ident: 0 for readings with a time of their own; else made from (boot, seq) or (batch, pos).
CREATE UNIQUE INDEX readings_identity ON readings (device, metric, ts, ident);
-- Resume reads by batch: rows lie in the order of commit, so a block index is enough.
CREATE INDEX readings_batch ON readings USING brin (writer, batch) WITH (pages_per_range = 32);

CREATE TABLE readings_default PARTITION OF readings DEFAULT;
