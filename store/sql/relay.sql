-- The one relay: places in the stream, given after commit.

-- name: relay_lock
-- Two-number key: 7103 is this project's, 1 the relay's.
SELECT pg_try_advisory_xact_lock(7103, 1) AS mine

-- name: give_positions
-- In the order of arrival; the rows of one subject among themselves by revision. Every waiting row
-- of a chosen subject is taken along, so a limit never parts a subject's revisions.
WITH slice AS (
    SELECT DISTINCT type, subject
    FROM (
        SELECT type, subject FROM outbox WHERE position IS NULL ORDER BY id LIMIT %(limit)s
    ) first_ones
), waiting AS (
    SELECT o.id, o.type, o.subject, o.rev
    FROM outbox o JOIN slice USING (type, subject)
    WHERE o.position IS NULL
), slots AS (
    SELECT id AS slot, type, subject, row_number() OVER (PARTITION BY type, subject ORDER BY id) AS k
    FROM waiting
), ranked AS (
    SELECT id, type, subject, row_number() OVER (PARTITION BY type, subject ORDER BY rev, id) AS k
    FROM waiting
), placed AS (
    SELECT ranked.id, row_number() OVER (ORDER BY slots.slot) AS n
    FROM ranked JOIN slots USING (type, subject, k)
), head AS (
    SELECT newest FROM stream
)
UPDATE outbox o
SET position = head.newest + placed.n
FROM placed, head
WHERE o.id = placed.id

-- name: advance_stream
UPDATE stream SET newest = newest + %(given)s RETURNING newest


-- name: stream_lock
-- The relay's lock, waited for.
SELECT pg_advisory_xact_lock(7103, 1)

-- name: where_we_are
-- A restored dump is on another system, a restore to a point in time and a stand-by that took over
-- on another timeline (the first eight digits of a log file's name).
SELECT system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
FROM pg_control_system()

-- name: stream_home
SELECT home, newest FROM stream

-- name: move_targets
-- Who had everything still has everything.
UPDATE targets SET position = position + %(gap)s WHERE position = %(newest)s

-- name: move_stream
UPDATE stream SET home = %(home)s, newest = newest + %(gap)s
