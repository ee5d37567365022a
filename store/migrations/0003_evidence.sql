-- The chain of evidence: one chain a camera, each link naming the hash of the one before it.

CREATE TABLE evidence_chain (
    device text COLLATE "C" NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    event text COLLATE "C" NOT NULL,
    basis text NOT NULL,
    prev text NOT NULL,
    hash text NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    manifest text NOT NULL,
    PRIMARY KEY (device, number),
    UNIQUE (event, basis)
);
CREATE INDEX evidence_chain_at ON evidence_chain (at);

-- What retention deleted, written before the files go: expired is not tampered with.
CREATE TABLE evidence_gone (
    device text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    part text NOT NULL CHECK (part IN ('shown', 'original')),
    at timestamptz NOT NULL,
    PRIMARY KEY (device, number, part)
);

-- Append-only for us, too: only by taking this trigger away could a link be changed.
CREATE FUNCTION evidence_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the chain of evidence is append-only: % refused', TG_OP;
END
$$;
CREATE TRIGGER evidence_chain_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_chain
FOR EACH STATEMENT EXECUTE FUNCTION evidence_is_append_only();

-- Which tickets an event's evidence is kept for.
CREATE INDEX incidents_events ON incidents USING gin ((body -> 'events'));

ALTER TABLE access_log ADD COLUMN reason text;
