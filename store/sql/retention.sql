-- Letting go by age. `before` is always a parameter: the service's clock decides, not the server's.

-- name: drop_reading_keys
DELETE FROM reading_keys WHERE ts < %(before)s

-- name: drop_conflicts
DELETE FROM reading_conflicts WHERE received_at < %(before)s

-- name: drop_default_readings native
-- Readings of implausible times, by when they were received.
DELETE FROM readings_default WHERE received_at < %(before)s

-- name: drop_chunks timescale
SELECT drop_chunks('readings', older_than => %(before)s::timestamptz)::text

-- name: compress_chunks timescale
SELECT compress_chunk(c, if_not_compressed => true)::text
FROM show_chunks('readings', older_than => %(before)s::timestamptz) c

-- name: drop_items
DELETE FROM items WHERE received_at < %(before)s

-- name: drop_spool_index
DELETE FROM spool WHERE received_at < %(before)s

-- name: drop_ticket_revisions
DELETE FROM ticket_revisions r
USING tickets t
WHERE t.id = r.ticket AND t.known_at < %(before)s AND t.stage = ANY (%(ended)s::text[])

-- name: drop_tickets
DELETE FROM tickets WHERE known_at < %(before)s AND stage = ANY (%(ended)s::text[])

-- name: drop_incidents
DELETE FROM incidents i
WHERE i.closed_at < %(before)s
    AND NOT EXISTS (SELECT FROM tickets t WHERE t.incident = i.id)

-- name: drop_silences
DELETE FROM silences WHERE ended_at < %(before)s

-- name: drop_events
DELETE FROM events e
USING events newest
WHERE newest.id = e.id AND newest.newest AND newest.phase = 'closed'
    AND newest.known_at < %(before)s

-- name: drop_dead_letters
DELETE FROM dead_letters WHERE received_at < %(before)s

-- name: drop_dead_letter_days
DELETE FROM dead_letter_days WHERE day < %(before)s::timestamptz::date

-- name: drop_unknown
DELETE FROM unknown_messages WHERE received_at < %(before)s RETURNING device

-- name: recount_unknown
UPDATE unknown_devices u
SET kept = (SELECT count(*) FROM unknown_messages m WHERE m.device = u.device)
WHERE u.device = ANY (%(devices)s::text[])

-- name: drop_outbox
-- Always a whole beginning of the stream, never a hole in it; not what a target still waits for,
-- unless it waits too long.
WITH bounds AS (
    SELECT
        coalesce(
            (SELECT min(position) FROM outbox WHERE at >= %(before)s),
            (SELECT newest + 1 FROM stream)
        ) AS old,
        coalesce(
            (SELECT min(position) FROM outbox WHERE at >= %(before_undelivered)s),
            (SELECT newest + 1 FROM stream)
        ) AS too_old,
        (SELECT min(position) FROM targets) AS taken
)
DELETE FROM outbox o
USING bounds
WHERE o.position < greatest(least(bounds.old, coalesce(bounds.taken + 1, bounds.old)),
    bounds.too_old)

-- name: targets_behind
SELECT target, position
FROM targets
WHERE position + 1 < coalesce(
    (SELECT min(position) FROM outbox), (SELECT newest + 1 FROM stream)
)
ORDER BY target

-- name: drop_batches
DELETE FROM batches b
WHERE b.at < %(before)s
    AND b.number < (SELECT max(n.number) FROM batches n WHERE n.writer = b.writer)

-- name: drop_undelivered
DELETE FROM undelivered WHERE given_up_at < %(before)s

-- name: drop_answered_commands
DELETE FROM commands WHERE answered AND at < %(before)s

-- name: drop_answers
DELETE FROM answers a WHERE NOT EXISTS (SELECT FROM commands c WHERE c.id = a.command)

-- name: drop_access_log
DELETE FROM access_log WHERE at < %(before)s
