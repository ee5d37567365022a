-- What was stored, in the order it was received, for detectors that fold it again (store/past.py).

-- name: past_readings
-- Readings lie in partitions by their own time: those of the period and around it are looked at,
-- and those of times nobody believes, where devices with a wrong clock are.
SELECT received_at, writer, batch, pos, device, metric, value, effective_at, sent_at, boot, seq,
    quality
FROM readings
WHERE (
    (ts >= %(ts_low)s::timestamptz AND ts < %(ts_high)s::timestamptz)
    OR ts < %(ts_never)s::timestamptz
    OR ts >= %(ts_far)s::timestamptz
)
AND received_at >= %(since)s::timestamptz AND received_at < %(until)s::timestamptz
AND (%(devices)s::text[] IS NULL OR device = ANY (%(devices)s::text[]))
AND (%(metrics)s::text[] IS NULL OR metric = ANY (%(metrics)s::text[]))
ORDER BY received_at, writer, batch, pos

-- name: past_items
SELECT received_at, writer, batch, pos, noun, device, at, topic, payload
FROM items
WHERE received_at >= %(since)s::timestamptz AND received_at < %(until)s::timestamptz
    AND noun = ANY (%(nouns)s::text[])
ORDER BY received_at, writer, batch, pos

-- name: past_events
-- Every event first told in the period: when it was told, when it was over (if it was by then),
-- its last onset and its greatest severity.
SELECT
    e.id, e.kind, e.site, e.device,
    (array_agg(e.at ORDER BY e.rev DESC))[1] AS onset,
    min(e.known_at) AS told,
    min(e.known_at) FILTER (WHERE e.phase = 'closed') AS over,
    max(e.severity) AS severity
FROM events e
WHERE e.known_at < %(until)s::timestamptz
    AND e.id IN (
        SELECT f.id
        FROM events f
        WHERE f.known_at >= %(since)s::timestamptz AND f.known_at < %(until)s::timestamptz
    )
GROUP BY e.id, e.kind, e.site, e.device
HAVING min(e.known_at) >= %(since)s::timestamptz
ORDER BY min(e.known_at), e.id
