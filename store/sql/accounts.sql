-- People who log in: accounts, sessions, failed logins, the audit log, the access log.

-- name: any_account
SELECT EXISTS (SELECT FROM accounts) AS there

-- name: page_accounts
SELECT *
FROM accounts
WHERE name > %(after)s
    AND (%(words)s = '' OR strpos(name, %(words)s) > 0 OR strpos(display_zh, %(words)s) > 0
        OR strpos(lower(display_en), %(words)s) > 0 OR worker = %(words)s OR utility = %(words)s
        OR role = %(words)s)
ORDER BY name
LIMIT %(limit)s

-- name: one_account
SELECT * FROM accounts WHERE id = %(id)s

-- name: account_named
SELECT * FROM accounts WHERE name = %(name)s

-- name: account_of
SELECT * FROM accounts WHERE subject = %(subject)s

-- name: add_account
INSERT INTO accounts (
    id, name, role, display_zh, display_en, grids, worker, utility, originals, disabled,
    must_change, password, subject, created_at, changed_at, seen_at
)
VALUES (
    %(id)s, %(name)s, %(role)s, %(display_zh)s, %(display_en)s, %(grids)s, %(worker)s, %(utility)s,
    %(originals)s, %(disabled)s, %(must_change)s, %(password)s, %(subject)s, %(created_at)s,
    %(changed_at)s, %(seen_at)s
)
ON CONFLICT DO NOTHING
RETURNING id

-- name: change_account
UPDATE accounts
SET role = %(role)s, display_zh = %(display_zh)s, display_en = %(display_en)s, grids = %(grids)s,
    worker = %(worker)s, utility = %(utility)s, originals = %(originals)s, disabled = %(disabled)s,
    must_change = %(must_change)s, password = %(password)s, subject = %(subject)s,
    changed_at = %(changed_at)s
WHERE id = %(id)s

-- name: rehash
UPDATE accounts SET password = %(password)s WHERE id = %(id)s AND password = %(before)s

-- name: account_seen
UPDATE accounts SET seen_at = greatest(seen_at, %(at)s::timestamptz) WHERE id = %(id)s

-- name: add_session
INSERT INTO sessions (
    id, digest, account, how, made_at, seen_at, ends_at, address, agent, logout
)
VALUES (
    %(id)s, %(digest)s, %(account)s, %(how)s, %(made_at)s, %(seen_at)s, %(ends_at)s, %(address)s,
    %(agent)s, %(logout)s
)

-- name: one_session
SELECT s.id AS session_id, s.digest, s.how, s.made_at, s.seen_at AS session_seen_at, s.ends_at,
    s.address, s.agent, s.logout, a.*
FROM sessions s
JOIN accounts a ON a.id = s.account
WHERE s.digest = %(digest)s

-- name: touch_session
WITH touched AS (
    UPDATE sessions SET seen_at = greatest(seen_at, %(at)s) WHERE id = %(id)s RETURNING account
)
UPDATE accounts SET seen_at = greatest(seen_at, %(at)s) WHERE id IN (SELECT account FROM touched)

-- name: sessions_of
SELECT *
FROM sessions
WHERE account = %(account)s AND ends_at > %(now)s AND seen_at > %(idle_since)s
ORDER BY made_at DESC, id

-- name: end_sessions
DELETE FROM sessions
WHERE account = %(account)s
    AND (%(only)s::text IS NULL OR id = %(only)s)
    AND (%(but)s::text IS NULL OR id <> %(but)s)
RETURNING id

-- name: note_failures
INSERT INTO login_failures (key, count, last_at)
SELECT key, 1, %(at)s::timestamptz FROM unnest(%(keys)s::text[]) AS key ORDER BY key
ON CONFLICT (key) DO UPDATE
SET count = CASE
        WHEN login_failures.last_at < %(forgotten)s THEN 1 ELSE login_failures.count + 1
    END,
    last_at = greatest(login_failures.last_at, excluded.last_at)

-- name: failures_of
SELECT key, count, last_at FROM login_failures WHERE key = ANY(%(keys)s::text[])

-- name: forgive
DELETE FROM login_failures WHERE key = ANY(%(keys)s::text[])

-- name: note
INSERT INTO audit_log (at, who, account, address, action, subject, detail)
VALUES (%(at)s, %(who)s, %(account)s, %(address)s, %(action)s, %(subject)s, %(detail)s)

-- name: notes
SELECT id, at, who, account, address, action, subject, detail
FROM audit_log
WHERE (%(before)s::bigint IS NULL OR id < %(before)s)
    AND (%(account)s::text IS NULL OR account = %(account)s
        OR subject = 'accounts/' || %(account)s)
    AND (%(action)s = '' OR action = %(action)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: views
SELECT id, at, who, what, reason, account, address
FROM access_log
WHERE (%(before)s::bigint IS NULL OR id < %(before)s)
    AND (%(account)s::text IS NULL OR account = %(account)s)
    AND (%(words)s = '' OR strpos(who, %(words)s) > 0 OR strpos(what, %(words)s) > 0)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
ORDER BY id DESC
LIMIT %(limit)s

-- name: drop_sessions
DELETE FROM sessions WHERE ends_at < %(before)s

-- name: drop_login_failures
DELETE FROM login_failures WHERE last_at < %(before)s

-- name: drop_audit_log
DELETE FROM audit_log WHERE at < %(before)s
