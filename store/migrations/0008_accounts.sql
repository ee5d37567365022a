-- People who log in, their sessions, failed logins, and what is noted of accounts.

CREATE TABLE accounts (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    role text NOT NULL,
    display_zh text NOT NULL,
    display_en text NOT NULL,
    grids text[] NOT NULL,
    worker text,
    utility text,
    originals boolean NOT NULL,
    disabled boolean NOT NULL,
    must_change boolean NOT NULL,
    password text,
    subject text UNIQUE,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    seen_at timestamptz
);

CREATE TABLE sessions (
    id text COLLATE "C" PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    account text COLLATE "C" NOT NULL REFERENCES accounts (id),
    how text NOT NULL,
    made_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    logout text
);
CREATE INDEX sessions_account ON sessions (account, made_at DESC);
CREATE INDEX sessions_ends ON sessions (ends_at);

CREATE TABLE login_failures (
    key text COLLATE "C" PRIMARY KEY,
    count bigint NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX login_failures_last ON login_failures (last_at);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    who text NOT NULL,
    account text COLLATE "C",
    address text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX audit_log_account ON audit_log (account, id DESC);

ALTER TABLE access_log ADD COLUMN account text COLLATE "C";
ALTER TABLE access_log ADD COLUMN address text;
CREATE INDEX access_log_account ON access_log (account, id DESC);

-- A utility's own tickets: whose work it is, stands in the body.
CREATE INDEX tickets_utility ON tickets ((body ->> 'utility'), opened_at DESC);
