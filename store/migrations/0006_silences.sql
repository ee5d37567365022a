-- Silences: whose tickets are held back, by whom, why, until when.

CREATE TABLE silences (
    id text COLLATE "C" PRIMARY KEY,
    rev bigint NOT NULL,
    grid text COLLATE "C",
    made_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    ended_at timestamptz,
    known_at timestamptz NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX silences_page ON silences (made_at DESC, id DESC);
CREATE INDEX silences_on ON silences (id) WHERE ended_at IS NULL;
