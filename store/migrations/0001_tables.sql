-- Everything but the readings, which need partitions or a hypertable (0002).
-- Times are timestamptz in UTC; no statement of this project asks the server what time it is.

CREATE TABLE leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- One row per committed batch: resume, and the answer to "did my COMMIT go through?".
CREATE TABLE batches (
    writer text NOT NULL,
    number bigint NOT NULL,
    epoch bigint NOT NULL,
    at timestamptz NOT NULL,
    shape text NOT NULL,
    ts_low timestamptz,
    ts_high timestamptz,
    found jsonb NOT NULL,
    PRIMARY KEY (writer, number)
);
CREATE INDEX batches_at ON batches (at);

-- Exactly-once for readings that carry (boot, seq) instead of a time of their own.
CREATE TABLE reading_keys (
    device text COLLATE "C" NOT NULL,
    metric text COLLATE "C" NOT NULL,
    boot bigint NOT NULL,
    seq bigint NOT NULL,
    ts timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (device, metric, boot, seq)
);
CREATE INDEX reading_keys_ts ON reading_keys USING brin (ts);

-- The same key with another value: the first stands in readings, the other is kept here.
CREATE TABLE reading_conflicts (
    device text COLLATE "C" NOT NULL,
    metric text COLLATE "C" NOT NULL,
    ts timestamptz NOT NULL,
    ident bigint NOT NULL,
    value double precision NOT NULL,
    received_at timestamptz NOT NULL,
    writer text NOT NULL,
    batch bigint NOT NULL,
    pos integer NOT NULL,
    UNIQUE (device, metric, ts, ident, value)
);

CREATE TABLE device_seen (
    device text COLLATE "C" PRIMARY KEY,
    received_at timestamptz NOT NULL
);

CREATE TABLE items (
    writer text NOT NULL,
    batch bigint NOT NULL,
    pos integer NOT NULL,
    noun text NOT NULL,
    device text NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    digest bytea NOT NULL UNIQUE,
    PRIMARY KEY (writer, batch, pos)
);
ALTER TABLE items ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX items_received_at ON items USING brin (received_at);

CREATE TABLE spool (
    device text NOT NULL,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    file text NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (device, number),
    UNIQUE (device, at)
);
CREATE INDEX spool_file ON spool (file);

CREATE TABLE events (
    id text NOT NULL,
    rev bigint NOT NULL,
    source_rev bigint NOT NULL,
    kind text NOT NULL,
    site text NOT NULL,
    device text,
    grid text,
    at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    severity integer NOT NULL,
    phase text NOT NULL,
    routed boolean NOT NULL,
    newest boolean NOT NULL DEFAULT false,
    body jsonb NOT NULL,
    PRIMARY KEY (id, rev)
);
CREATE INDEX events_page ON events (at DESC, id DESC) WHERE newest;
CREATE INDEX events_open ON events (known_at) WHERE newest;
CREATE INDEX events_unrouted ON events (known_at, id, rev) WHERE NOT routed;

CREATE TABLE incidents (
    id text PRIMARY KEY,
    rev bigint NOT NULL,
    kind text NOT NULL,
    grid text,
    district text NOT NULL,
    severity integer NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    known_at timestamptz NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX incidents_page ON incidents (opened_at DESC, id DESC);
CREATE INDEX incidents_open ON incidents (id) WHERE closed_at IS NULL;

CREATE TABLE tickets (
    id text PRIMARY KEY,
    rev bigint NOT NULL,
    incident text NOT NULL,
    kind text NOT NULL,
    stage text NOT NULL,
    grid text,
    district text NOT NULL,
    severity integer NOT NULL,
    opened_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX tickets_page ON tickets (opened_at DESC, id DESC);
CREATE INDEX tickets_stage ON tickets (stage, opened_at DESC, id DESC);
CREATE INDEX tickets_incident ON tickets (incident);

CREATE TABLE ticket_revisions (
    ticket text NOT NULL,
    rev bigint NOT NULL,
    change text NOT NULL,
    known_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (ticket, rev, change)
);

-- What leaves the service leaves from here. `id` is given inside the writers' transactions and
-- says nothing about the order of commits; `position` is given by the one relay after commit.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    type text NOT NULL,
    subject text NOT NULL,
    rev bigint NOT NULL,
    kind text NOT NULL,
    district text NOT NULL,
    change text NOT NULL,
    at timestamptz NOT NULL,
    data bytea NOT NULL,
    position bigint UNIQUE
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE position IS NULL;
CREATE INDEX outbox_waiting_subject ON outbox (type, subject) WHERE position IS NULL;

CREATE TABLE stream (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    newest bigint NOT NULL
);
INSERT INTO stream (newest) VALUES (0);

CREATE TABLE targets (
    target text PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE dead_letters (
    id text PRIMARY KEY,
    topic text NOT NULL,
    received_at timestamptz NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    device text,
    adapter text NOT NULL,
    payload bytea NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL
);
CREATE INDEX dead_letters_page ON dead_letters (received_at DESC, id DESC);

-- How many dead letters each device had on each day (UTC), kept ones and those over the cap.
CREATE TABLE dead_letter_days (
    device text NOT NULL,
    day date NOT NULL,
    seen bigint NOT NULL,
    PRIMARY KEY (device, day)
);

CREATE TABLE unknown_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device text NOT NULL,
    topic text NOT NULL,
    received_at timestamptz NOT NULL,
    payload bytea NOT NULL,
    sha256 text NOT NULL
);
CREATE INDEX unknown_messages_device ON unknown_messages (device, id);
CREATE INDEX unknown_messages_page ON unknown_messages (received_at DESC, id DESC);

CREATE TABLE unknown_devices (
    device text PRIMARY KEY,
    kept bigint NOT NULL,
    dropped bigint NOT NULL,
    last_at timestamptz NOT NULL
);

CREATE TABLE intake (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    payload bytea NOT NULL,
    received_at timestamptz NOT NULL
);

CREATE TABLE commands (
    id text PRIMARY KEY,
    ticket text NOT NULL,
    action text NOT NULL,
    by_whom text NOT NULL,
    rev bigint NOT NULL,
    at timestamptz NOT NULL,
    reason text,
    note text,
    answered boolean NOT NULL DEFAULT false
);
CREATE INDEX commands_waiting ON commands (at, id) WHERE NOT answered;

CREATE TABLE answers (
    command text PRIMARY KEY,
    ok boolean NOT NULL,
    reason text NOT NULL,
    rev bigint
);

CREATE TABLE statuses (
    device text PRIMARY KEY,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    online boolean NOT NULL
);

CREATE TABLE worker_positions (
    worker text PRIMARY KEY,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    accuracy_m double precision
);

CREATE TABLE snapshots (
    kind text NOT NULL,
    site text NOT NULL,
    writer text NOT NULL,
    batch bigint NOT NULL,
    state bytea NOT NULL,
    marks bytea NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (kind, site, writer)
);

CREATE TABLE access_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who text NOT NULL,
    what text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX access_log_at ON access_log USING brin (at);
