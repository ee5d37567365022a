-- Migrations and partitions.

-- name: migration_lock
-- 7103 is this project's, 2 the migrations'. Held until the transaction ends.
SELECT pg_advisory_xact_lock(7103, 2)

-- name: make_migrations
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    variant text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL
)

-- name: applied_migrations
SELECT number, name, variant, checksum FROM migrations ORDER BY number

-- name: record_migration
INSERT INTO migrations (number, name, variant, checksum, applied_at)
VALUES (%(number)s, %(name)s, %(variant)s, %(checksum)s, %(applied_at)s)

-- name: offers_timescale
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') AS offered

-- name: create_timescale timescale
CREATE EXTENSION IF NOT EXISTS timescaledb

-- name: reading_variant
SELECT variant FROM migrations WHERE number = 2

-- name: partition_lock
SELECT pg_advisory_xact_lock(7103, 3)

-- name: partition_patience
SET LOCAL lock_timeout = '1s'

-- name: reading_partitions native
SELECT c.relname AS name
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'readings'::regclass
ORDER BY c.relname
