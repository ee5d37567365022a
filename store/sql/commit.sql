-- What one batch's transaction runs (store/writer.py, store/readings.py, store/cases.py).

-- name: begin_batch
-- The lease is held until the end of the transaction; a take-over waits for us or we for it.
SELECT l.epoch, b.epoch AS batch_epoch, b.shape, b.found::text
FROM leases l
LEFT JOIN batches b ON b.writer = l.name AND b.number = %(number)s
WHERE l.name = %(writer)s
FOR SHARE OF l

-- name: end_batch
INSERT INTO batches (writer, number, epoch, at, shape, ts_low, ts_high, found)
VALUES (
    %(writer)s, %(number)s, %(epoch)s, %(at)s, %(shape)s,
    %(ts_low)s, %(ts_high)s, %(found)s::jsonb
)

-- name: copy_readings copy
COPY readings (
    writer, batch, device, metric, ts, ident, value, received_at, effective_at, quality, sent_at,
    boot, seq, pos
) FROM STDIN (FORMAT binary)

-- name: make_staging
CREATE TEMP TABLE IF NOT EXISTS incoming (
    device text COLLATE "C", metric text COLLATE "C", ts timestamptz, ident bigint,
    value double precision, received_at timestamptz, effective_at timestamptz, quality integer,
    sent_at timestamptz, boot bigint, seq bigint, pos integer
) ON COMMIT DELETE ROWS

-- name: copy_staging copy
COPY pg_temp.incoming FROM STDIN (FORMAT binary)

-- name: insert_readings_staged
INSERT INTO readings (
    device, metric, ts, ident, value, received_at, effective_at, quality, sent_at, boot, seq,
    writer, batch, pos
)
SELECT device, metric, ts, ident, value, received_at, effective_at, quality, sent_at, boot, seq,
    %(writer)s, %(batch)s, pos
FROM pg_temp.incoming
ON CONFLICT (device, metric, ts, ident) DO NOTHING

-- name: keep_conflicts_staged
INSERT INTO reading_conflicts (
    device, metric, ts, ident, value, received_at, writer, batch, pos
)
SELECT i.device, i.metric, i.ts, i.ident, i.value, i.received_at, %(writer)s, %(batch)s, i.pos
FROM pg_temp.incoming i
JOIN readings r
    ON r.device = i.device AND r.metric = i.metric AND r.ts = i.ts AND r.ident = i.ident
WHERE r.value IS DISTINCT FROM i.value
ON CONFLICT (device, metric, ts, ident, value) DO NOTHING

-- name: insert_readings
INSERT INTO readings (
    device, metric, ts, ident, value, received_at, effective_at, quality, sent_at, boot, seq,
    writer, batch, pos
)
SELECT i.device, i.metric, i.ts, i.ident, i.value, i.received_at, i.effective_at, i.quality,
    i.sent_at, i.boot, i.seq, %(writer)s, %(batch)s, i.pos
FROM unnest(
    %(device)b::text[], %(metric)b::text[], %(ts)b::timestamptz[], %(ident)b::bigint[],
    %(value)b::float8[], %(received_at)b::timestamptz[], %(effective_at)b::timestamptz[],
    %(quality)b::int[], %(sent_at)b::timestamptz[], %(boot)b::bigint[], %(seq)b::bigint[],
    %(pos)b::int[]
) AS i (
    device, metric, ts, ident, value, received_at, effective_at, quality, sent_at, boot, seq, pos
)
ON CONFLICT (device, metric, ts, ident) DO NOTHING

-- name: keep_conflicts
INSERT INTO reading_conflicts (
    device, metric, ts, ident, value, received_at, writer, batch, pos
)
SELECT i.device, i.metric, i.ts, i.ident, i.value, i.received_at, %(writer)s, %(batch)s, i.pos
FROM unnest(
    %(device)b::text[], %(metric)b::text[], %(ts)b::timestamptz[], %(ident)b::bigint[],
    %(value)b::float8[], %(received_at)b::timestamptz[], %(pos)b::int[]
) AS i (device, metric, ts, ident, value, received_at, pos)
JOIN readings r
    ON r.device = i.device AND r.metric = i.metric AND r.ts = i.ts AND r.ident = i.ident
WHERE r.value IS DISTINCT FROM i.value
ON CONFLICT (device, metric, ts, ident, value) DO NOTHING

-- name: claim_reading_keys
INSERT INTO reading_keys (device, metric, boot, seq, ts, value)
SELECT * FROM unnest(
    %(device)b::text[], %(metric)b::text[], %(boot)b::bigint[], %(seq)b::bigint[],
    %(ts)b::timestamptz[], %(value)b::float8[]
)
ON CONFLICT (device, metric, boot, seq) DO NOTHING
RETURNING device, metric, boot, seq

-- name: keep_key_conflicts
-- The first reading's ts stands for the key, so that a conflict replayed later is the same row.
INSERT INTO reading_conflicts (
    device, metric, ts, ident, value, received_at, writer, batch, pos
)
SELECT i.device, i.metric, k.ts, i.ident, i.value, i.received_at, %(writer)s, %(batch)s, i.pos
FROM unnest(
    %(device)b::text[], %(metric)b::text[], %(boot)b::bigint[], %(seq)b::bigint[],
    %(ident)b::bigint[], %(value)b::float8[], %(received_at)b::timestamptz[], %(pos)b::int[]
) AS i (device, metric, boot, seq, ident, value, received_at, pos)
JOIN reading_keys k
    ON k.device = i.device AND k.metric = i.metric AND k.boot = i.boot AND k.seq = i.seq
WHERE k.value IS DISTINCT FROM i.value
ON CONFLICT (device, metric, ts, ident, value) DO NOTHING

-- name: mark_seen
-- In the order of the device's name, so that two writers never wait for each other in a circle.
INSERT INTO device_seen (device, received_at, first_at)
SELECT device, received_at, received_at
FROM unnest(%(device)b::text[], %(received_at)b::timestamptz[]) AS i (device, received_at)
ORDER BY device
ON CONFLICT (device) DO UPDATE
SET received_at = greatest(device_seen.received_at, excluded.received_at)

-- name: insert_items
INSERT INTO items (writer, batch, pos, noun, device, at, received_at, topic, payload, digest)
SELECT %(writer)s, %(batch)s, i.*
FROM unnest(
    %(pos)b::int[], %(noun)b::text[], %(device)b::text[], %(at)b::timestamptz[],
    %(received_at)b::timestamptz[], %(topic)b::text[], %(payload)b::bytea[], %(digest)b::bytea[]
) AS i
ON CONFLICT DO NOTHING

-- name: insert_spool
INSERT INTO spool (device, number, at, received_at, file, bytes)
SELECT * FROM unnest(
    %(device)b::text[], %(number)b::bigint[], %(at)b::timestamptz[],
    %(received_at)b::timestamptz[], %(file)b::text[], %(bytes)b::bigint[]
)
ON CONFLICT DO NOTHING

-- name: forget_spool_files
DELETE FROM spool WHERE file = ANY (%(files)s::text[])

-- name: upsert_statuses
INSERT INTO statuses (device, at, received_at, online)
SELECT * FROM unnest(
    %(device)b::text[], %(at)b::timestamptz[], %(received_at)b::timestamptz[], %(online)b::bool[]
) AS i (device, at, received_at, online)
ORDER BY device
ON CONFLICT (device) DO UPDATE
SET at = excluded.at, received_at = excluded.received_at, online = excluded.online
WHERE (statuses.at, statuses.received_at) <= (excluded.at, excluded.received_at)

-- name: upsert_worker_positions
INSERT INTO worker_positions (worker, at, received_at, lon, lat, accuracy_m)
SELECT * FROM unnest(
    %(worker)b::text[], %(at)b::timestamptz[], %(received_at)b::timestamptz[],
    %(lon)b::float8[], %(lat)b::float8[], %(accuracy_m)b::float8[]
) AS i (worker, at, received_at, lon, lat, accuracy_m)
ORDER BY worker
ON CONFLICT (worker) DO UPDATE
SET at = excluded.at, received_at = excluded.received_at, lon = excluded.lon, lat = excluded.lat,
    accuracy_m = excluded.accuracy_m
WHERE worker_positions.at <= excluded.at

-- name: insert_events
INSERT INTO events (
    id, rev, source_rev, kind, site, device, grid, at, known_at, severity, phase, routed, body
)
SELECT i.id, i.rev, i.source_rev, i.kind, i.site, i.device, i.grid, i.at, i.known_at, i.severity,
    i.phase, i.routed, i.body::jsonb
FROM unnest(
    %(id)b::text[], %(rev)b::bigint[], %(source_rev)b::bigint[], %(kind)b::text[],
    %(site)b::text[], %(device)b::text[], %(grid)b::text[], %(at)b::timestamptz[],
    %(known_at)b::timestamptz[], %(severity)b::int[], %(phase)b::text[], %(routed)b::bool[],
    %(body)b::text[]
) AS i (
    id, rev, source_rev, kind, site, device, grid, at, known_at, severity, phase, routed, body
)
ON CONFLICT (id, rev) DO NOTHING

-- name: event_faults
-- The same (id, rev) with other content: some detector is not a pure fold.
SELECT i.id, i.rev
FROM unnest(%(id)b::text[], %(rev)b::bigint[], %(body)b::text[]) AS i (id, rev, body)
JOIN events e ON e.id = i.id AND e.rev = i.rev
WHERE e.body IS DISTINCT FROM i.body::jsonb

-- name: mark_newest_events
UPDATE events e
SET newest = (e.rev = m.rev)
FROM (
    SELECT id, max(rev) AS rev FROM events WHERE id = ANY (%(ids)s::text[]) GROUP BY id
) m
WHERE e.id = m.id AND e.newest IS DISTINCT FROM (e.rev = m.rev)

-- name: mark_routed
UPDATE events e
SET routed = true
FROM unnest(%(id)b::text[], %(rev)b::bigint[]) AS i (id, rev)
WHERE e.id = i.id AND e.rev = i.rev AND NOT e.routed

-- name: upsert_incidents
INSERT INTO incidents (
    id, rev, kind, grid, district, severity, opened_at, closed_at, known_at, body
)
SELECT i.id, i.rev, i.kind, i.grid, i.district, i.severity, i.opened_at, i.closed_at, i.known_at,
    i.body::jsonb
FROM unnest(
    %(id)b::text[], %(rev)b::bigint[], %(kind)b::text[], %(grid)b::text[], %(district)b::text[],
    %(severity)b::int[], %(opened_at)b::timestamptz[], %(closed_at)b::timestamptz[],
    %(known_at)b::timestamptz[], %(body)b::text[]
) AS i (id, rev, kind, grid, district, severity, opened_at, closed_at, known_at, body)
ORDER BY i.id
ON CONFLICT (id) DO UPDATE
SET rev = excluded.rev, kind = excluded.kind, grid = excluded.grid, district = excluded.district,
    severity = excluded.severity, opened_at = excluded.opened_at, closed_at = excluded.closed_at,
    known_at = excluded.known_at, body = excluded.body
WHERE incidents.rev < excluded.rev

-- name: upsert_silences
INSERT INTO silences (id, rev, grid, made_at, until, ended_at, known_at, body)
SELECT i.id, i.rev, i.grid, i.made_at, i.until, i.ended_at, i.known_at, i.body::jsonb
FROM unnest(
    %(id)b::text[], %(rev)b::bigint[], %(grid)b::text[], %(made_at)b::timestamptz[],
    %(until)b::timestamptz[], %(ended_at)b::timestamptz[], %(known_at)b::timestamptz[],
    %(body)b::text[]
) AS i (id, rev, grid, made_at, until, ended_at, known_at, body)
ORDER BY i.id
ON CONFLICT (id) DO UPDATE
SET rev = excluded.rev, grid = excluded.grid, made_at = excluded.made_at,
    until = excluded.until, ended_at = excluded.ended_at, known_at = excluded.known_at,
    body = excluded.body
WHERE silences.rev < excluded.rev

-- name: upsert_tickets
INSERT INTO tickets (
    id, rev, incident, kind, stage, grid, district, severity, opened_at, known_at, body
)
SELECT i.id, i.rev, i.incident, i.kind, i.stage, i.grid, i.district, i.severity, i.opened_at,
    i.known_at, i.body::jsonb
FROM unnest(
    %(id)b::text[], %(rev)b::bigint[], %(incident)b::text[], %(kind)b::text[], %(stage)b::text[],
    %(grid)b::text[], %(district)b::text[], %(severity)b::int[], %(opened_at)b::timestamptz[],
    %(known_at)b::timestamptz[], %(body)b::text[]
) AS i (id, rev, incident, kind, stage, grid, district, severity, opened_at, known_at, body)
ORDER BY i.id
ON CONFLICT (id) DO UPDATE
SET rev = excluded.rev, incident = excluded.incident, kind = excluded.kind,
    stage = excluded.stage, grid = excluded.grid, district = excluded.district,
    severity = excluded.severity, opened_at = excluded.opened_at, known_at = excluded.known_at,
    body = excluded.body
WHERE tickets.rev < excluded.rev

-- name: insert_ticket_revisions
INSERT INTO ticket_revisions (ticket, rev, change, known_at, body)
SELECT i.ticket, i.rev, i.change, i.known_at, i.body::jsonb
FROM unnest(
    %(ticket)b::text[], %(rev)b::bigint[], %(change)b::text[], %(known_at)b::timestamptz[],
    %(body)b::text[]
) AS i (ticket, rev, change, known_at, body)
ON CONFLICT DO NOTHING

-- name: insert_outbox
INSERT INTO outbox (key, type, subject, rev, kind, district, change, at, data)
SELECT * FROM unnest(
    %(key)b::text[], %(type)b::text[], %(subject)b::text[], %(rev)b::bigint[], %(kind)b::text[],
    %(district)b::text[], %(change)b::text[], %(at)b::timestamptz[], %(data)b::bytea[]
)
ON CONFLICT (key) DO NOTHING

-- name: outbox_faults
SELECT i.key
FROM unnest(%(key)b::text[], %(data)b::bytea[]) AS i (key, data)
JOIN outbox o ON o.key = i.key
WHERE o.data <> i.data

-- name: known_dead_letters
SELECT id FROM dead_letters WHERE id = ANY (%(ids)s::text[])

-- name: count_dead_letters
INSERT INTO dead_letter_days (device, day, seen)
SELECT device, day, seen
FROM unnest(%(device)b::text[], %(day)b::date[], %(seen)b::bigint[]) AS i (device, day, seen)
ORDER BY device, day
ON CONFLICT (device, day) DO UPDATE SET seen = dead_letter_days.seen + excluded.seen
RETURNING device, day, seen

-- name: insert_dead_letters
INSERT INTO dead_letters (
    id, topic, received_at, code, reason, device, adapter, payload, bytes, sha256
)
SELECT * FROM unnest(
    %(id)b::text[], %(topic)b::text[], %(received_at)b::timestamptz[], %(code)b::text[],
    %(reason)b::text[], %(device)b::text[], %(adapter)b::text[], %(payload)b::bytea[],
    %(bytes)b::bigint[], %(sha256)b::text[]
)
ON CONFLICT (id) DO NOTHING

-- name: unknown_room
SELECT i.device, coalesce(u.kept, 0) AS kept,
    (SELECT coalesce(sum(kept), 0) FROM unknown_devices)::bigint AS total
FROM unnest(%(device)b::text[]) AS i (device)
LEFT JOIN unknown_devices u ON u.device = i.device

-- name: count_unknown
INSERT INTO unknown_devices (device, kept, dropped, last_at)
SELECT *
FROM unnest(
    %(device)b::text[], %(kept)b::bigint[], %(dropped)b::bigint[], %(last_at)b::timestamptz[]
) AS i (device, kept, dropped, last_at)
ORDER BY device
ON CONFLICT (device) DO UPDATE
SET kept = unknown_devices.kept + excluded.kept,
    dropped = unknown_devices.dropped + excluded.dropped,
    last_at = greatest(unknown_devices.last_at, excluded.last_at)

-- name: insert_unknown
INSERT INTO unknown_messages (device, topic, received_at, payload, sha256)
SELECT * FROM unnest(
    %(device)b::text[], %(topic)b::text[], %(received_at)b::timestamptz[],
    %(payload)b::bytea[], %(sha256)b::text[]
)

-- name: upsert_snapshots
INSERT INTO snapshots (kind, site, writer, batch, state, marks, number)
SELECT i.kind, i.site, %(writer)s, %(batch)s, i.state, i.marks, i.number
FROM unnest(
    %(kind)b::text[], %(site)b::text[], %(state)b::bytea[], %(marks)b::bytea[],
    %(number)b::bigint[]
) AS i (kind, site, state, marks, number)
ON CONFLICT (kind, site, writer) DO UPDATE
SET batch = excluded.batch, state = excluded.state, marks = excluded.marks,
    number = excluded.number

-- name: insert_answers
INSERT INTO answers (command, ok, reason, rev)
SELECT * FROM unnest(
    %(command)b::text[], %(ok)b::bool[], %(reason)b::text[], %(rev)b::bigint[]
)
ON CONFLICT (command) DO NOTHING

-- name: mark_answered
UPDATE commands SET answered = true WHERE id = ANY (%(ids)s::text[]) AND NOT answered

-- name: finish_intake
DELETE FROM intake WHERE id = ANY (%(ids)s::bigint[])

-- name: notify
SELECT pg_notify(%(channel)s, '')
