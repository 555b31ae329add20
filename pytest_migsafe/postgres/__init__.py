"""A PostgreSQL server to rehearse on, and our databases there.

It is a throwaway one, with its binaries, its cached cluster and its process, or one that was there before.

Nothing here knows what a migration is. The way in::

    binaries = find_binaries()
    with start_server(binaries) as server, create_database(server) as database:
        with database.connect() as connection:
            ...

and on a server that is somebody else's::

    with create_database(given_server(dsn)) as database:
        ...
"""
