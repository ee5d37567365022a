-- What the center reads and files. Pages go by key, so a row that comes or goes moves no page.

-- name: page_tickets
SELECT id, opened_at AS sort, body::text
FROM tickets
WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(stage)s::text IS NULL OR stage = %(stage)s)
    AND (%(severity)s::integer IS NULL OR severity >= %(severity)s)
    AND (%(utility)s::text IS NULL OR body ->> 'utility' = %(utility)s)
    AND (%(grid)s::text IS NULL OR grid = %(grid)s)
    AND (%(grids)s::text[] IS NULL OR grid = ANY (%(grids)s::text[]))
    AND (%(worker)s::text IS NULL
        OR (
            coalesce(body -> 'helpers', '[]'::jsonb)
            || coalesce(body -> 'worker', 'null'::jsonb)
            || coalesce(body #> '{reason,ladder,neighbour}', 'null'::jsonb)
            || coalesce(body #> '{reason,ladder,person}', 'null'::jsonb)
            || coalesce(body #> '{reason,consultation,receiver}', 'null'::jsonb)
            || coalesce(body #> '{reason,worker,contact}', 'null'::jsonb)
        ) @> jsonb_build_array(%(worker)s::text))
    AND (%(since)s::timestamptz IS NULL OR opened_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR opened_at < %(until)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (opened_at, id) < (%(after_sort)s, %(after_id)s::text))
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s

-- name: page_incidents
SELECT id, opened_at AS sort, body::text
FROM incidents
WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(grid)s::text IS NULL OR grid = %(grid)s)
    AND (%(grids)s::text[] IS NULL OR grid = ANY (%(grids)s::text[]))
    AND (%(since)s::timestamptz IS NULL OR opened_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR opened_at < %(until)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (opened_at, id) < (%(after_sort)s, %(after_id)s::text))
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s

-- name: page_silences
SELECT id, made_at AS sort, body::text
FROM silences
WHERE (%(grid)s::text IS NULL OR grid = %(grid)s)
    AND (%(grids)s::text[] IS NULL OR grid = ANY (%(grids)s::text[]))
    AND (%(since)s::timestamptz IS NULL OR made_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR made_at < %(until)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (made_at, id) < (%(after_sort)s, %(after_id)s::text))
ORDER BY made_at DESC, id DESC
LIMIT %(limit)s

-- name: page_events
SELECT id, at AS sort, body::text
FROM events
WHERE newest
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(grid)s::text IS NULL OR grid = %(grid)s)
    AND (%(grids)s::text[] IS NULL OR grid = ANY (%(grids)s::text[]))
    AND (%(device)s::text IS NULL OR device = %(device)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (at, id) < (%(after_sort)s, %(after_id)s::text))
ORDER BY at DESC, id DESC
LIMIT %(limit)s

-- name: page_devices
SELECT coalesce(s.device, d.device) AS id, s.online, s.at AS status_at,
    d.received_at AS last_reading_at
FROM statuses s
FULL JOIN device_seen d ON d.device = s.device
WHERE (%(device)s::text IS NULL OR coalesce(s.device, d.device) = %(device)s)
    AND (%(after_id)s::text IS NULL
        OR coalesce(s.device, d.device) COLLATE "C" > %(after_id)s COLLATE "C")
ORDER BY coalesce(s.device, d.device) COLLATE "C"
LIMIT %(limit)s

-- name: page_workers
SELECT worker AS id, at, received_at, lon, lat, accuracy_m
FROM worker_positions
WHERE (%(device)s::text IS NULL OR worker = %(device)s)
    AND (%(after_id)s::text IS NULL OR worker COLLATE "C" > %(after_id)s COLLATE "C")
ORDER BY worker COLLATE "C"
LIMIT %(limit)s

-- name: page_dead_letters
-- Messages of devices nobody registered stand among them with a code of their own.
SELECT * FROM (
    SELECT id, received_at AS sort, topic, code, reason, device, adapter, bytes, sha256
    FROM dead_letters
    UNION ALL
    SELECT 'u-' || id, received_at, topic, 'unknown_device',
        'no device ' || device || ' is registered; the message is kept until it is',
        device, CASE WHEN starts_with(topic, 'gridsentry/v1/') THEN 'native' ELSE 'outside' END,
        octet_length(payload), sha256
    FROM unknown_messages
) d
WHERE (%(kind)s::text IS NULL OR code = %(kind)s)
    AND (%(device)s::text IS NULL OR device = %(device)s)
    AND (%(since)s::timestamptz IS NULL OR sort >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR sort < %(until)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (sort, id) < (%(after_sort)s, %(after_id)s::text))
ORDER BY sort DESC, id DESC
LIMIT %(limit)s

-- name: page_readings
SELECT device, metric, ts, ident, value, effective_at, received_at, sent_at, boot, seq, quality
FROM readings
WHERE device = %(device)s
    AND (%(metric)s::text IS NULL OR metric = %(metric)s)
    AND (%(since)s::timestamptz IS NULL OR ts >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR ts < %(until)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (ts, metric, ident) > (%(after_sort)s, %(after_id)s::text, %(after_ident)s::bigint))
ORDER BY ts, metric, ident
LIMIT %(limit)s

-- name: page_all_readings
-- Always within a range: the bounds stand bare, so that other days' partitions are left alone.
SELECT device, metric, ts, ident, value, effective_at, received_at, sent_at, boot, seq, quality
FROM readings
WHERE ts >= %(since)s::timestamptz
    AND ts < %(until)s::timestamptz
    AND (%(metric)s::text IS NULL OR metric = %(metric)s)
    AND (%(after_sort)s::timestamptz IS NULL
        OR (ts, device, metric, ident) > (
            %(after_sort)s, %(after_device)s::text, %(after_id)s::text, %(after_ident)s::bigint
        ))
ORDER BY ts, device, metric, ident
LIMIT %(limit)s

-- name: one_ticket
SELECT body::text FROM tickets WHERE id = %(id)s

-- name: one_incident
SELECT body::text FROM incidents WHERE id = %(id)s

-- name: one_silence
SELECT body::text FROM silences WHERE id = %(id)s

-- name: one_event
SELECT body::text FROM events WHERE id = %(id)s AND newest

-- name: one_dead_letter
SELECT id, received_at, topic, code, reason, device, adapter, bytes, sha256, payload
FROM dead_letters
WHERE id = %(id)s

-- name: tickets_of_event
SELECT t.body::text
FROM incidents i
JOIN tickets t ON t.incident = i.id
WHERE i.body -> 'events' ? %(event)s::text
ORDER BY t.opened_at DESC, t.id DESC
LIMIT %(limit)s

-- name: tickets_lately
-- What counting and drawing need (wire.ticket_glance): bodies of thousands are not carried over.
SELECT jsonb_build_object(
    'id', id, 'rev', rev, 'incident', incident, 'kind', kind, 'stage', stage, 'grid', grid,
    'severity', severity, 'opened_at', body -> 'opened_at', 'changed_at', body -> 'updated_at',
    'parent', body -> 'parent', 'lon', body -> 'place' -> 'lon', 'lat', body -> 'place' -> 'lat',
    'deadlines', body -> 'deadlines',
    'clocks', coalesce(body -> 'reason' -> 'clocks', '{}'::jsonb)
)::text AS glance
FROM tickets
WHERE stage = ANY (%(open)s::text[]) OR known_at >= %(since)s

-- name: tickets_of_worker
-- By the index tickets_people (contracts/people.py). Two halves, each with an index beside it, so
-- that the tickets of three years that are a worker's too are not read.
SELECT body::text
FROM (
    SELECT id, opened_at, body
    FROM tickets
    WHERE (
            coalesce(body -> 'helpers', '[]'::jsonb)
            || coalesce(body -> 'worker', 'null'::jsonb)
            || coalesce(body #> '{reason,ladder,neighbour}', 'null'::jsonb)
            || coalesce(body #> '{reason,ladder,person}', 'null'::jsonb)
            || coalesce(body #> '{reason,consultation,receiver}', 'null'::jsonb)
            || coalesce(body #> '{reason,worker,contact}', 'null'::jsonb)
        ) @> jsonb_build_array(%(worker)s::text)
        AND stage = ANY (%(open)s::text[])
    UNION ALL
    SELECT id, opened_at, body
    FROM tickets
    WHERE (
            coalesce(body -> 'helpers', '[]'::jsonb)
            || coalesce(body -> 'worker', 'null'::jsonb)
            || coalesce(body #> '{reason,ladder,neighbour}', 'null'::jsonb)
            || coalesce(body #> '{reason,ladder,person}', 'null'::jsonb)
            || coalesce(body #> '{reason,consultation,receiver}', 'null'::jsonb)
            || coalesce(body #> '{reason,worker,contact}', 'null'::jsonb)
        ) @> jsonb_build_array(%(worker)s::text)
        AND stage <> ALL (%(open)s::text[])
        AND known_at >= %(since)s
) mine
ORDER BY opened_at DESC, id DESC
LIMIT %(limit)s

-- name: one_unknown_message
SELECT 'u-' || id AS id, received_at, topic, 'unknown_device' AS code,
    'no device ' || device || ' is registered; the message is kept until it is' AS reason,
    device, CASE WHEN starts_with(topic, 'gridsentry/v1/') THEN 'native' ELSE 'outside' END AS adapter,
    octet_length(payload) AS bytes, sha256, payload
FROM unknown_messages
WHERE id = %(number)s

-- name: file_command
INSERT INTO commands (id, ticket, action, by_whom, rev, at, reason, note, data)
VALUES (
    %(id)s, %(ticket)s, %(action)s, %(by)s, %(rev)s, %(at)s, %(reason)s, %(note)s, %(data)s
)
ON CONFLICT (id) DO NOTHING

-- name: answer_to
SELECT command, ok, reason, rev FROM answers WHERE command = %(id)s

-- name: file_intake
INSERT INTO intake (topic, payload, received_at)
VALUES (%(topic)s, %(payload)s, %(received_at)s)

-- name: newest_position
SELECT newest FROM stream

-- name: oldest_position
-- The lowest position still kept; one above the newest when none is.
SELECT coalesce((SELECT min(position) FROM outbox), (SELECT newest + 1 FROM stream))

-- name: stream_after
SELECT position, key, type, subject, kind, district, change, at, data
FROM outbox
WHERE position > %(after)s
ORDER BY position
LIMIT %(limit)s

-- name: target_position
SELECT position FROM targets WHERE target = %(target)s

-- name: set_target_position
INSERT INTO targets (target, position)
VALUES (%(target)s, %(position)s)
ON CONFLICT (target) DO UPDATE SET position = greatest(targets.position, excluded.position)

-- name: start_target
INSERT INTO targets (target, position)
VALUES (%(target)s, %(position)s)
ON CONFLICT (target) DO UPDATE SET position = targets.position
RETURNING position

-- name: put_undelivered
INSERT INTO undelivered (target, key, known_at, given_up_at, reason)
VALUES (%(target)s, %(key)s, %(known_at)s, %(given_up_at)s, %(reason)s)
ON CONFLICT (target, key) DO NOTHING

-- name: undelivered
SELECT target, key, known_at, given_up_at, reason
FROM undelivered
ORDER BY given_up_at DESC, target, key
LIMIT %(limit)s

-- name: log_access
INSERT INTO access_log (who, what, at, reason, account, address)
VALUES (%(who)s, %(what)s, %(at)s, %(reason)s, %(account)s, %(address)s)

-- name: ping
SELECT 1
