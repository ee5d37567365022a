"""The only place that knows psycopg: schema, named queries, migrations, TimescaleDB."""
