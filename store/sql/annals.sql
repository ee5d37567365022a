-- What people say about what was found, and what a shift hands to the next.

-- name: replace_label
-- The standing word on the event of a new one gives way to it; not to itself said again.
UPDATE labels SET withdrawn_at = %(made_at)s, withdrawn_by = 'newer'
WHERE event = %(event)s::text AND withdrawn_at IS NULL
    AND NOT EXISTS (SELECT FROM labels l WHERE l.id = %(id)s)

-- name: insert_label
INSERT INTO labels (
    id, verdict, kind, event, incident, device, site, at, until, cause, note, lon, lat, grid,
    by_whom, made_at
)
VALUES (
    %(id)s, %(verdict)s, %(kind)s, %(event)s, %(incident)s, %(device)s, %(site)s, %(at)s,
    %(until)s, %(cause)s, %(note)s, %(lon)s, %(lat)s, %(grid)s, %(by)s, %(made_at)s
)
ON CONFLICT (id) DO NOTHING

-- name: labels
SELECT id, verdict, kind, event, incident, device, site, at, until, cause, note, lon, lat, grid,
    by_whom, made_at, withdrawn_at, withdrawn_by
FROM labels
WHERE (%(id)s::text IS NULL OR id = %(id)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(events)s::text[] IS NULL OR event = ANY (%(events)s::text[]))
    AND (NOT %(standing)s::boolean OR withdrawn_at IS NULL)
ORDER BY made_at DESC, id DESC
LIMIT %(limit)s

-- name: withdraw_label
UPDATE labels SET withdrawn_at = %(at)s, withdrawn_by = %(by)s
WHERE id = %(id)s AND withdrawn_at IS NULL
RETURNING id

-- name: judged_events
-- A label decides; where there is none, closed work on it speaks for the event. Incidents that were
-- open within the period are unfolded once: looking each event up in them takes minutes for a month.
WITH worked AS MATERIALIZED (
    SELECT DISTINCT named.event
    FROM incidents i
    JOIN tickets t ON t.incident = i.id AND t.stage IN ('closed', 'evaluated')
    CROSS JOIN LATERAL jsonb_array_elements_text(i.body -> 'events') AS named (event)
    WHERE i.opened_at < %(until)s AND (i.closed_at IS NULL OR i.closed_at >= %(since)s)
)
SELECT e.kind, coalesce(e.device, e.site) AS device, count(*) AS alarms,
    count(*) FILTER (WHERE l.verdict = 'true') AS said_true,
    count(*) FILTER (WHERE l.verdict = 'false') AS said_false,
    count(*) FILTER (WHERE l.verdict IS NULL AND w.event IS NOT NULL) AS worked
FROM events e
LEFT JOIN labels l ON l.event = e.id AND l.withdrawn_at IS NULL
LEFT JOIN worked w ON w.event = e.id
WHERE e.newest AND e.at >= %(since)s AND e.at < %(until)s
    AND e.kind NOT IN ('citizen_report', 'patrol')
GROUP BY e.kind, coalesce(e.device, e.site)
ORDER BY e.kind COLLATE "C", coalesce(e.device, e.site) COLLATE "C"

-- name: missed_events
SELECT kind, coalesce(device, site, '') AS device, count(*) AS missed
FROM labels
WHERE verdict = 'missed' AND withdrawn_at IS NULL AND at >= %(since)s AND at < %(until)s
GROUP BY kind, coalesce(device, site, '')
ORDER BY kind COLLATE "C", coalesce(device, site, '') COLLATE "C"

-- name: hot_spots
-- The place of an event by its kind: the window, the pipe, the span, fifty metres of a fibre, a
-- cell for what people report; where that is not told, the device or the site.
WITH seen AS (
    SELECT i.id AS incident, i.opened_at, e.kind, e.grid, e.severity,
        (e.body -> 'place' ->> 'lon')::float8 AS lon,
        (e.body -> 'place' ->> 'lat')::float8 AS lat,
        coalesce(
            CASE e.kind
                WHEN 'high_altitude_throw'
                    THEN e.device || '/' || (e.body -> 'evidence' -> 'origin' ->> 'zone')
                WHEN 'drain_blocked' THEN e.body -> 'evidence' -> 'pipes' -> 0 ->> 0
                WHEN 'severed_cable' THEN e.body -> 'evidence' -> 'spans' -> 0 ->> 0
                WHEN 'fibre_break'
                    THEN e.site || '@' || (
                        floor((e.body -> 'evidence' ->> 'distance_m')::float8 / 50) * 50
                    )::bigint
                WHEN 'citizen_report'
                    THEN floor((e.body -> 'place' ->> 'lat')::float8 * 500)::bigint || ','
                        || floor((e.body -> 'place' ->> 'lon')::float8 * 500)::bigint
            END,
            e.device, e.site
        ) AS spot
    FROM incidents i
    CROSS JOIN LATERAL jsonb_array_elements_text(i.body -> 'events') AS named (event)
    JOIN events e ON e.id = named.event AND e.newest
    WHERE i.opened_at >= %(since)s AND i.opened_at < %(until)s
        AND i.body ->> 'merged_into' IS NULL
        AND e.kind <> 'patrol'
        AND (%(kind)s::text IS NULL OR e.kind = %(kind)s)
        AND (%(grids)s::text[] IS NULL OR e.grid = ANY (%(grids)s::text[]))
        AND NOT EXISTS (
            SELECT FROM labels l
            WHERE l.event = e.id AND l.verdict = 'false' AND l.withdrawn_at IS NULL
        )
),
once AS (
    SELECT kind, spot, incident, min(opened_at) AS opened_at, max(severity) AS severity,
        avg(lon) AS lon, avg(lat) AS lat, max(grid COLLATE "C") AS grid
    FROM seen
    GROUP BY kind, spot, incident
)
SELECT kind, spot, count(*) AS incidents, min(opened_at) AS first_at, max(opened_at) AS last_at,
    max(severity) AS severity, avg(lon) AS lon, avg(lat) AS lat, max(grid COLLATE "C") AS grid,
    (array_agg(incident ORDER BY opened_at DESC, incident COLLATE "C" DESC))[1:10] AS newest
FROM once
GROUP BY kind, spot
HAVING count(*) >= %(least)s
ORDER BY count(*) DESC, max(opened_at) DESC, kind COLLATE "C", spot COLLATE "C"
LIMIT %(limit)s

-- name: tickets_of_incidents
SELECT DISTINCT ON (incident) incident, id
FROM tickets
WHERE incident = ANY (%(incidents)s::text[]) AND body ->> 'parent' IS NULL
ORDER BY incident, opened_at DESC, id COLLATE "C" DESC

-- name: troubles
SELECT kind, coalesce(device, site) AS device, site, at
FROM events
WHERE newest AND phase <> 'closed' AND kind IN ('sensor_silent', 'sensor_faulty')
ORDER BY at DESC, id DESC

-- name: segments_seen
SELECT c.device, s.received_at
FROM unnest(%(cameras)s::text[]) AS c (device)
CROSS JOIN LATERAL (
    SELECT received_at FROM spool WHERE device = c.device ORDER BY number DESC LIMIT 1
) s

-- name: first_heard
SELECT device, first_at FROM device_seen WHERE first_at IS NOT NULL

-- name: retry_dead_letter
-- Into the intake with its own time of receipt, once for every number of tries that was seen.
WITH named AS (
    UPDATE dead_letters SET tries = tries + 1, retried_at = %(at)s, retried_by = %(by)s
    WHERE id = %(id)s AND tries = %(tries)s AND octet_length(payload) = bytes
    RETURNING id, topic, payload, received_at
),
filed AS (
    INSERT INTO intake (topic, payload, received_at)
    SELECT topic, payload, received_at FROM named
    RETURNING id
)
SELECT filed.id FROM filed

-- name: mark_retried
UPDATE dead_letters SET intake = %(intake)s WHERE id = %(id)s

-- name: retried
-- What came of it: it waits, it became a dead letter (or an unknown device's message) again, or
-- neither: then it was taken in.
SELECT d.id, d.tries, d.retried_at, d.retried_by, octet_length(d.payload) = d.bytes AS whole,
    EXISTS (SELECT FROM intake i WHERE i.id = d.intake) AS waiting,
    coalesce(
        (
            SELECT n.id FROM dead_letters n
            WHERE n.sha256 = d.sha256 AND n.topic = d.topic AND n.id <> d.id
                AND n.received_at >= d.retried_at
            ORDER BY n.received_at DESC, n.id DESC LIMIT 1
        ),
        (
            SELECT 'u-' || u.id FROM unknown_messages u
            WHERE u.sha256 = d.sha256 AND u.topic = d.topic AND u.received_at >= d.retried_at
            ORDER BY u.id DESC LIMIT 1
        )
    ) AS again
FROM dead_letters d
WHERE d.id = ANY (%(ids)s::text[])
ORDER BY d.id COLLATE "C"

-- name: put_handover
INSERT INTO handovers (id, made_at, leaving, notes, body)
VALUES (%(id)s, %(made_at)s, %(leaving)s, %(notes)s, %(body)s)
ON CONFLICT (id) DO NOTHING

-- name: take_handover
UPDATE handovers SET coming = %(coming)s, remarks = %(remarks)s, taken_at = %(at)s
WHERE id = %(id)s AND taken_at IS NULL
RETURNING id

-- name: handovers
SELECT id, made_at, leaving, coming, taken_at, notes, remarks, body
FROM handovers
WHERE (%(id)s::text IS NULL OR id = %(id)s)
ORDER BY made_at DESC, id DESC
LIMIT %(limit)s
