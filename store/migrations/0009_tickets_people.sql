-- Whom a ticket concerns (contracts/people.py): a worker's phone asks for its own tickets only.

CREATE INDEX tickets_people ON tickets USING gin ((
    coalesce(body -> 'helpers', '[]'::jsonb)
    || coalesce(body -> 'worker', 'null'::jsonb)
    || coalesce(body #> '{reason,ladder,neighbour}', 'null'::jsonb)
    || coalesce(body #> '{reason,ladder,person}', 'null'::jsonb)
    || coalesce(body #> '{reason,consultation,receiver}', 'null'::jsonb)
    || coalesce(body #> '{reason,worker,contact}', 'null'::jsonb)
) jsonb_path_ops);
