"""The store: PostgreSQL (with TimescaleDB where it is), its schema, queries and migrations.

The only room that knows psycopg. `writer` commits batches, `desk` reads for people, `relay` gives
committed changes their place in the stream, `retention` lets go of what is old, `embedded` runs a
PostgreSQL of our own, `memory` is the twin of all of it for fast tests.
"""
