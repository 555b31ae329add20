"""The heart: rehearse a migration on a database and tell what Postgres did. Nothing here judges."""
