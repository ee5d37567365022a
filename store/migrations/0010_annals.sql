-- What people say about what was found, what a shift hands to the next, and dead letters tried again.

CREATE TABLE labels (
    id text COLLATE "C" PRIMARY KEY,
    verdict text NOT NULL CHECK (verdict IN ('true', 'false', 'missed')),
    kind text NOT NULL,
    event text COLLATE "C",
    incident text COLLATE "C",
    device text COLLATE "C",
    site text COLLATE "C",
    at timestamptz NOT NULL,
    until timestamptz,
    cause text NOT NULL,
    note text NOT NULL,
    lon double precision,
    lat double precision,
    grid text,
    by_whom text NOT NULL,
    made_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text,
    CHECK ((event IS NULL) = (verdict = 'missed'))
);
CREATE INDEX labels_made_at ON labels (made_at DESC, id DESC);
CREATE INDEX labels_at ON labels (at);
-- One standing word on an event.
CREATE UNIQUE INDEX labels_event ON labels (event) WHERE withdrawn_at IS NULL;

CREATE TABLE handovers (
    id text COLLATE "C" PRIMARY KEY,
    made_at timestamptz NOT NULL,
    leaving text NOT NULL,
    coming text,
    taken_at timestamptz,
    notes text NOT NULL,
    remarks text NOT NULL DEFAULT '',
    body text NOT NULL
);
CREATE INDEX handovers_made_at ON handovers (made_at DESC, id DESC);

ALTER TABLE dead_letters ADD COLUMN tries integer NOT NULL DEFAULT 0;
ALTER TABLE dead_letters ADD COLUMN retried_at timestamptz;
ALTER TABLE dead_letters ADD COLUMN retried_by text;
ALTER TABLE dead_letters ADD COLUMN intake bigint;
CREATE INDEX dead_letters_content ON dead_letters (sha256);
CREATE INDEX unknown_messages_content ON unknown_messages (sha256);

-- When a device was first heard; null for those that were there before this was kept.
ALTER TABLE device_seen ADD COLUMN first_at timestamptz;

CREATE INDEX events_trouble ON events (kind, device)
WHERE newest AND phase <> 'closed' AND kind IN ('sensor_silent', 'sensor_faulty');
