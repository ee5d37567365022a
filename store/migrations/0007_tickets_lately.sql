-- What changed of late, for screens that show the day: found without reading three years.

CREATE INDEX tickets_known_at ON tickets (known_at);
