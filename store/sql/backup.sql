-- What a backup tells of a database, what a restore looks at, and how much room things take.

-- name: server_version
SELECT current_setting('server_version_num')::integer, current_setting('server_version')

-- name: timescale_version
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- name: timescale_offers
SELECT version FROM pg_available_extension_versions WHERE name = 'timescaledb' ORDER BY version

-- name: our_tables
-- A partition is counted with its whole.
SELECT c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname

-- name: our_relations
-- Whatever is in the way of a restore.
SELECT c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND d.objid IS NULL
ORDER BY c.relname

-- name: dumped_tables
-- How many tables a dump has rows of, for its bar.
SELECT count(*)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND n.nspname !~ '^pg_temp'

-- name: export_snapshot
SELECT pg_export_snapshot()

-- name: reading_marks
SELECT count(*), max(received_at) FROM readings

-- name: writer_marks
SELECT writer, max(number) FROM batches GROUP BY writer ORDER BY writer

-- name: stream_mark
SELECT newest FROM stream

-- name: others_here
-- Who else of ours works on this database.
SELECT count(*)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'gridsentry' AND pid <> pg_backend_pid()

-- name: pre_restore timescale
SELECT public.timescaledb_pre_restore()

-- name: post_restore timescale
SELECT public.timescaledb_post_restore()

-- name: end_others
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = %(database)s AND pid <> pg_backend_pid()

-- name: table_sizes native
-- Bytes with indexes; partitions with their whole.
SELECT coalesce(whole.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_class whole ON whole.oid = i.inhparent
WHERE n.nspname = 'public' AND c.relkind = 'r'
GROUP BY 1
ORDER BY 2 DESC, 1

-- name: hypertable_sizes timescale
-- Bytes with indexes: of plain tables, of hypertables and of what the continuous aggregates keep.
SELECT name, sum(bytes)::bigint
FROM (
    SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r'
    UNION ALL
    SELECT hypertable_name, hypertable_size(
        (quote_ident(hypertable_schema) || '.' || quote_ident(hypertable_name))::regclass
    )
    FROM timescaledb_information.hypertables
    WHERE hypertable_schema = 'public'
    UNION ALL
    SELECT view_name, hypertable_size(
        (quote_ident(materialization_hypertable_schema) || '.'
            || quote_ident(materialization_hypertable_name))::regclass
    )
    FROM timescaledb_information.continuous_aggregates
) sizes
GROUP BY 1
ORDER BY 2 DESC, 1

-- name: compression timescale
-- Bytes of the chunks that are compressed, indexes included: before and after.
SELECT
    count(*),
    coalesce(sum(before_compression_total_bytes), 0)::bigint,
    coalesce(sum(after_compression_total_bytes), 0)::bigint
FROM chunk_compression_stats('readings')
WHERE compression_status = 'Compressed'

-- name: archiving_fails
-- Since when the server cannot archive its log; no row while it can, or does not archive at all.
SELECT last_failed_wal, last_failed_time
FROM pg_stat_archiver
WHERE last_failed_time > coalesce(last_archived_time, '-infinity')
