-- What a writer or the router reads to take up where it stood.

-- name: acquire_lease
-- Renewed by its holder at the same epoch; taken over by another, one epoch on, once it is over.
INSERT INTO leases (name, holder, epoch, expires_at)
VALUES (%(name)s, %(holder)s, 1, %(expires_at)s)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder,
    epoch = leases.epoch + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END,
    expires_at = excluded.expires_at
WHERE leases.holder = excluded.holder OR leases.expires_at <= %(now)s
RETURNING epoch

-- name: release_lease
UPDATE leases
SET holder = '', expires_at = '-infinity'
WHERE name = %(name)s AND holder = %(holder)s

-- name: last_batch
SELECT number, at FROM batches WHERE writer = %(writer)s ORDER BY number DESC LIMIT 1

-- name: writer_snapshots
SELECT kind, site, state, marks, number, batch
FROM snapshots
WHERE writer = %(writer)s
ORDER BY kind, site

-- name: batches_after
SELECT number, at, ts_low, ts_high
FROM batches
WHERE writer = %(writer)s AND number > %(after)s
ORDER BY number
LIMIT %(limit)s

-- name: readings_of_batches
-- The bounds on ts are those of the batches: they leave out every other day's partition.
SELECT batch, pos, device, metric, value, effective_at, received_at, sent_at, boot, seq, quality
FROM readings
WHERE writer = %(writer)s AND batch BETWEEN %(low)s AND %(high)s
    AND ts BETWEEN %(ts_low)s AND %(ts_high)s
ORDER BY batch, pos

-- name: items_of_batches
SELECT batch, pos, noun, device, at, received_at, topic, payload
FROM items
WHERE writer = %(writer)s AND batch BETWEEN %(low)s AND %(high)s
ORDER BY batch, pos

-- name: spool_after
SELECT device, at, received_at, file, bytes, number
FROM spool
WHERE device = %(device)s AND number > %(after)s
ORDER BY number

-- name: event_book
-- Open ones, and those that changed within a day before the newest batch.
SELECT body::text, source_rev, known_at, routed
FROM events
WHERE newest AND (
    phase <> 'closed'
    OR known_at >= (SELECT max(at) FROM batches) - interval '1 day'
)
ORDER BY known_at, id

-- name: live_incidents
-- Over or not: as long as people work on one of its tickets.
SELECT body::text
FROM incidents i
WHERE closed_at IS NULL
    OR closed_at >= (SELECT max(at) FROM batches) - interval '1 day'
    OR EXISTS (
        SELECT FROM tickets t WHERE t.incident = i.id AND t.stage <> ALL (%(ended)s::text[])
    )
ORDER BY opened_at, id

-- name: live_silences
SELECT body::text
FROM silences
WHERE ended_at IS NULL
    OR ended_at >= (SELECT max(at) FROM batches) - interval '1 day'
ORDER BY made_at, id

-- name: live_tickets
SELECT body::text
FROM tickets
WHERE stage <> ALL (%(ended)s::text[])
    OR known_at >= (SELECT max(at) FROM batches) - interval '1 day'
ORDER BY opened_at, id

-- name: all_worker_positions
SELECT worker, at, received_at, lon, lat, accuracy_m FROM worker_positions ORDER BY worker

-- name: unrouted_events
SELECT body::text, source_rev, known_at, routed
FROM events
WHERE NOT routed
ORDER BY known_at, id, rev
LIMIT %(limit)s

-- name: waiting_commands
SELECT id, ticket, action, by_whom, rev, at, reason, note, data
FROM commands
WHERE NOT answered
ORDER BY at, id
LIMIT %(limit)s

-- name: waiting_intake
-- Each writer takes what it would have subscribed to: bulk topics have a part more than others.
-- Topics of outside gateways and of workers name no district: every writer looks at them. Whoever
-- comes second finds a position it knows, and a row that is gone.
SELECT id, topic, payload, received_at
FROM intake
WHERE (%(bulk)s::boolean IS NULL
        OR (starts_with(topic, 'gridsentry/v1/') AND split_part(topic, '/', 7) <> '') = %(bulk)s)
    AND (%(districts)s::text[] IS NULL OR NOT starts_with(topic, 'gridsentry/v1/')
        OR split_part(topic, '/', 3) = 'worker'
        OR split_part(topic, '/', 4) = ANY (%(districts)s::text[]))
ORDER BY id
LIMIT %(limit)s

-- name: unknown_samples
-- The newest message of every unregistered device of an outside gateway.
SELECT DISTINCT ON (device) device, topic, received_at, payload
FROM unknown_messages
WHERE NOT starts_with(topic, 'gridsentry/v1/')
ORDER BY device, id DESC

-- name: take_up_unknown
WITH gone AS (
    DELETE FROM unknown_messages
    WHERE device = ANY (%(devices)s::text[])
    RETURNING id, topic, payload, received_at
)
INSERT INTO intake (topic, payload, received_at)
SELECT topic, payload, received_at FROM gone ORDER BY id

-- name: forget_unknown_counts
DELETE FROM unknown_devices WHERE device = ANY (%(devices)s::text[])
