"""A throwaway PostgreSQL server: its binaries, its cached cluster, its process, its databases.

Nothing here knows what a migration is. The way in::

    binaries = find_binaries()
    with start_server(binaries) as server, create_database(server) as database:
        with database.connect() as connection:
            ...
"""
