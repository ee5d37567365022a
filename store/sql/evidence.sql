-- The chain of evidence (store/evidence.py).

-- name: add_evidence_link
-- Only behind the link it names; its number is taken once. A camera never has two chains.
INSERT INTO evidence_chain (device, number, event, basis, prev, hash, at, manifest)
SELECT %(device)s, %(number)s, %(event)s, %(basis)s, %(prev)s, %(hash)s, %(at)s, %(manifest)s
WHERE (
    %(number)s = 1 AND %(prev)s = ''
    AND NOT EXISTS (SELECT FROM evidence_chain WHERE device = %(device)s)
) OR EXISTS (
    SELECT FROM evidence_chain
    WHERE device = %(device)s AND number = %(number)s - 1 AND hash = %(prev)s
)
ON CONFLICT DO NOTHING
RETURNING number

-- name: evidence_link
SELECT hash FROM evidence_chain WHERE device = %(device)s AND number = %(number)s

-- name: evidence_links
-- Those sealed since then, and the newest of every camera whatever its age.
SELECT c.device, c.number, c.event, c.basis, c.prev, c.hash, c.at, c.manifest
FROM evidence_chain c
WHERE c.at >= %(since)s
    OR (c.device, c.number) IN (SELECT device, max(number) FROM evidence_chain GROUP BY device)
ORDER BY c.device, c.number

-- name: evidence_chain_after
SELECT c.device, c.number, c.event, c.basis, c.prev, c.hash, c.at, c.manifest
FROM evidence_chain c
WHERE (c.device, c.number) > (%(device)s, %(number)s::bigint)
ORDER BY c.device, c.number
LIMIT %(limit)s

-- name: evidence_gone_all
SELECT device, number, part, at FROM evidence_gone

-- name: evidence_claimed
SELECT id, device, body #>> '{evidence,chain,hash}'
FROM events
WHERE newest AND body #>> '{evidence,chain,hash}' IS NOT NULL
ORDER BY id

-- name: evidence_due
-- What is old enough and whose every ticket ended that long ago.
SELECT c.device, c.number, p.part, c.manifest
FROM evidence_chain c
CROSS JOIN (
    VALUES ('shown', %(shown_before)s::timestamptz), ('original', %(original_before)s::timestamptz)
) AS p (part, before)
WHERE c.at < p.before
    AND NOT EXISTS (
        SELECT FROM evidence_gone g
        WHERE g.device = c.device AND g.number = c.number AND g.part = p.part
    )
    AND NOT EXISTS (
        SELECT FROM incidents i
        JOIN tickets t ON t.incident = i.id
        WHERE i.body -> 'events' ? c.event
            AND (t.stage <> ALL (%(ended)s::text[]) OR t.known_at >= p.before)
    )
ORDER BY c.device, c.number, p.part

-- name: mark_evidence_gone
INSERT INTO evidence_gone (device, number, part, at)
VALUES (%(device)s, %(number)s, %(part)s, %(at)s)
ON CONFLICT DO NOTHING

-- name: evidence_kept
SELECT c.manifest,
    NOT EXISTS (
        SELECT FROM evidence_gone g
        WHERE g.device = c.device AND g.number = c.number AND g.part = 'shown'
    ) AS shown,
    NOT EXISTS (
        SELECT FROM evidence_gone g
        WHERE g.device = c.device AND g.number = c.number AND g.part = 'original'
    ) AS original
FROM evidence_chain c
WHERE (
    SELECT count(*) FROM evidence_gone g WHERE g.device = c.device AND g.number = c.number
) < 2

-- name: originals_opened
SELECT at, who, what, reason
FROM access_log
WHERE reason IS NOT NULL AND at >= %(since)s
ORDER BY at, id
