-- Roll-ups of readings and what is read of them (store/rollups.py, store/history.py).

-- name: rollup_behind
-- Writers whose newest batches the roll-ups have not got. From writer to writer by the key: a month
-- has millions of batches, and this is asked twice a minute.
WITH RECURSIVE writers AS (
    (SELECT writer FROM batches ORDER BY writer LIMIT 1)
    UNION ALL
    SELECT (SELECT b.writer FROM batches b WHERE b.writer > w.writer ORDER BY b.writer LIMIT 1)
    FROM writers w
    WHERE w.writer IS NOT NULL
), ends AS (
    SELECT
        w.writer,
        (SELECT max(b.number) FROM batches b WHERE b.writer = w.writer) AS newest
    FROM writers w
    WHERE w.writer IS NOT NULL
)
SELECT e.writer, coalesce(m.batch, -1) AS done, e.newest
FROM ends e
LEFT JOIN rollup_marks m ON m.writer = e.writer
WHERE e.newest > coalesce(m.batch, -1)
ORDER BY e.writer

-- name: rollup_begin
INSERT INTO rollup_marks (writer, batch) VALUES (%(writer)s, -1) ON CONFLICT DO NOTHING

-- name: rollup_mark
-- Held until the transaction ends: of several processes one adds a batch.
SELECT batch FROM rollup_marks WHERE writer = %(writer)s FOR UPDATE

-- name: rollup_reach
SELECT min(ts_low), max(ts_high)
FROM batches
WHERE writer = %(writer)s AND number > %(after)s AND number <= %(upto)s

-- name: rollup_set
UPDATE rollup_marks SET batch = %(upto)s WHERE writer = %(writer)s

-- name: rollup_add native
WITH fresh AS (
    SELECT
        device,
        metric,
        date_bin('1 minute', ts, timestamptz '2000-01-01 00:00:00+00') AS bucket,
        count(*) AS n,
        sum(value) AS total,
        min(value) AS low,
        max(value) AS high
    FROM readings
    WHERE writer = %(writer)s AND batch > %(after)s AND batch <= %(upto)s
        AND ts >= %(low)s::timestamptz AND ts <= %(high)s::timestamptz
    GROUP BY 1, 2, 3
), minutes AS (
    INSERT INTO rollup_1m AS r (device, metric, bucket, n, total, low, high)
    SELECT device, metric, bucket, n, total, low, high FROM fresh
    ON CONFLICT (device, metric, bucket) DO UPDATE SET
        n = r.n + excluded.n,
        total = r.total + excluded.total,
        low = least(r.low, excluded.low),
        high = greatest(r.high, excluded.high)
), quarters AS (
    INSERT INTO rollup_15m AS r (device, metric, bucket, n, total, low, high)
    SELECT
        device, metric, date_bin('15 minutes', bucket, timestamptz '2000-01-01 00:00:00+00'),
        sum(n), sum(total), min(low), max(high)
    FROM fresh
    GROUP BY 1, 2, 3
    ON CONFLICT (device, metric, bucket) DO UPDATE SET
        n = r.n + excluded.n,
        total = r.total + excluded.total,
        low = least(r.low, excluded.low),
        high = greatest(r.high, excluded.high)
), hours AS (
    INSERT INTO rollup_1h AS r (device, metric, bucket, n, total, low, high)
    SELECT
        device, metric, date_bin('1 hour', bucket, timestamptz '2000-01-01 00:00:00+00'),
        sum(n), sum(total), min(low), max(high)
    FROM fresh
    GROUP BY 1, 2, 3
    ON CONFLICT (device, metric, bucket) DO UPDATE SET
        n = r.n + excluded.n,
        total = r.total + excluded.total,
        low = least(r.low, excluded.low),
        high = greatest(r.high, excluded.high)
)
SELECT coalesce(sum(n), 0)::bigint FROM fresh

-- name: refresh_1m timescale
CALL refresh_continuous_aggregate('rollup_1m', %(low)s::timestamptz, %(high)s::timestamptz)

-- name: refresh_15m timescale
CALL refresh_continuous_aggregate('rollup_15m', %(low)s::timestamptz, %(high)s::timestamptz)

-- name: refresh_1h timescale
CALL refresh_continuous_aggregate('rollup_1h', %(low)s::timestamptz, %(high)s::timestamptz)

-- name: drop_minutes native
DELETE FROM rollup_1m WHERE bucket < %(before)s

-- name: drop_quarters native
DELETE FROM rollup_15m WHERE bucket < %(before)s

-- name: drop_hours native
DELETE FROM rollup_1h WHERE bucket < %(before)s

-- name: drop_minutes_chunks timescale
SELECT drop_chunks('rollup_1m', older_than => %(before)s::timestamptz)::text

-- name: drop_quarters_chunks timescale
SELECT drop_chunks('rollup_15m', older_than => %(before)s::timestamptz)::text

-- name: drop_hours_chunks timescale
SELECT drop_chunks('rollup_1h', older_than => %(before)s::timestamptz)::text

-- name: history_raw
-- Columns for each device and metric: a row a reading would cost ten times as much to parse.
SELECT device, metric, array_agg(ts ORDER BY ts, ident), array_agg(value ORDER BY ts, ident)
FROM (
    SELECT device, metric, ts, ident, value
    FROM readings
    WHERE device = ANY (%(devices)s::text[])
        AND (cardinality(%(metrics)s::text[]) = 0 OR metric = ANY (%(metrics)s::text[]))
        AND ts >= %(since)s::timestamptz AND ts < %(until)s::timestamptz
    LIMIT %(limit)s
) found
GROUP BY device, metric
ORDER BY device, metric

-- name: history_1m
SELECT
    device, metric, array_agg(bucket ORDER BY bucket), array_agg(total / n ORDER BY bucket),
    array_agg(low ORDER BY bucket), array_agg(high ORDER BY bucket),
    array_agg(n ORDER BY bucket)
FROM (
    SELECT device, metric, bucket, n, total, low, high
    FROM rollup_1m
    WHERE device = ANY (%(devices)s::text[])
        AND (cardinality(%(metrics)s::text[]) = 0 OR metric = ANY (%(metrics)s::text[]))
        AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz
    LIMIT %(limit)s
) found
GROUP BY device, metric
ORDER BY device, metric

-- name: history_15m
SELECT
    device, metric, array_agg(bucket ORDER BY bucket), array_agg(total / n ORDER BY bucket),
    array_agg(low ORDER BY bucket), array_agg(high ORDER BY bucket),
    array_agg(n ORDER BY bucket)
FROM (
    SELECT device, metric, bucket, n, total, low, high
    FROM rollup_15m
    WHERE device = ANY (%(devices)s::text[])
        AND (cardinality(%(metrics)s::text[]) = 0 OR metric = ANY (%(metrics)s::text[]))
        AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz
    LIMIT %(limit)s
) found
GROUP BY device, metric
ORDER BY device, metric

-- name: history_1h
SELECT
    device, metric, array_agg(bucket ORDER BY bucket), array_agg(total / n ORDER BY bucket),
    array_agg(low ORDER BY bucket), array_agg(high ORDER BY bucket),
    array_agg(n ORDER BY bucket)
FROM (
    SELECT device, metric, bucket, n, total, low, high
    FROM rollup_1h
    WHERE device = ANY (%(devices)s::text[])
        AND (cardinality(%(metrics)s::text[]) = 0 OR metric = ANY (%(metrics)s::text[]))
        AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz
    LIMIT %(limit)s
) found
GROUP BY device, metric
ORDER BY device, metric

-- name: history_1d
-- Days are those of the zone, made of hours (a zone half an hour off UTC: to half an hour).
SELECT
    device, metric, array_agg(day ORDER BY day), array_agg(total / n ORDER BY day),
    array_agg(low ORDER BY day), array_agg(high ORDER BY day), array_agg(n ORDER BY day)
FROM (
    SELECT
        device, metric, date_trunc('day', bucket, %(zone)s::text) AS day,
        sum(n)::bigint AS n, sum(total) AS total, min(low) AS low, max(high) AS high
    FROM rollup_1h
    WHERE device = ANY (%(devices)s::text[])
        AND (cardinality(%(metrics)s::text[]) = 0 OR metric = ANY (%(metrics)s::text[]))
        AND bucket >= %(since)s::timestamptz AND bucket < %(until)s::timestamptz
    GROUP BY device, metric, day
    LIMIT %(limit)s
) found
GROUP BY device, metric
ORDER BY device, metric

-- name: history_devices
SELECT DISTINCT device
FROM rollup_1h
WHERE metric = %(metric)s AND bucket >= %(since)s::timestamptz
ORDER BY device
