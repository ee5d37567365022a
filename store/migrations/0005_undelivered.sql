-- What an outgoing target did not take: refused for good, or too old to be tried any longer.

CREATE TABLE undelivered (
    target text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    known_at timestamptz NOT NULL,
    given_up_at timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (target, key)
);
CREATE INDEX undelivered_at ON undelivered (given_up_at);
