"""Rehearse PostgreSQL migrations on a throwaway server and judge them by what Postgres did.

This module imports nothing, so that naming the package costs nothing; see ``docs/`` for the way in.
"""
