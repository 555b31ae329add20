"""The layouts that migration runners use, one small module each, and how a folder's layout is found.

To add a layout, write a module with a ``LAYOUT`` and put it into ``LAYOUTS``: the first whose ``read`` finds
migrations in a folder is the folder's layout, so the more particular ones stand first.
"""

from pytest_migsafe.migrations.layouts import (
    dbmate,
    diesel,
    drizzle,
    flat,
    flyway,
    goose,
    liquibase,
    pairs,
    prisma,
    sections,
    sqitch,
    supabase,
    version_folders,
)
from pytest_migsafe.migrations.layouts.base import OTHER_DATABASES, FoundFile, Layout, Listing

__all__ = ["LAYOUTS", "OTHER_DATABASES", "FoundFile", "Layout", "Listing", "layout_of", "list_folder"]

LAYOUTS: tuple[Layout, ...] = (
    sqitch.LAYOUT,
    supabase.LAYOUT,
    drizzle.LAYOUT,
    prisma.LAYOUT,
    diesel.LAYOUT,
    liquibase.LAYOUT,
    flyway.LAYOUT,
    version_folders.LAYOUT,
    pairs.GOLANG_MIGRATE,
    dbmate.LAYOUT,
    goose.GOOSE,
    goose.SQL_MIGRATE,
    sections.PLAY,
    sections.TERN,
    sections.MYBATIS,
    sections.NODE_PG_MIGRATE,
    sections.SECTIONS,
    pairs.SQLX,
    flat.LAYOUT,
)


def layout_of(listing: Listing, named: str | None = None) -> tuple[Layout, tuple[FoundFile, ...]] | None:
    """Return a folder's layout and its migrations in order, or None when the folder holds none.

    ``named`` is the layout that the settings name; then no other is tried.
    """
    for layout in LAYOUTS:
        if named is None and not layout.is_detected_in(listing):
            continue
        if named is None or layout.name == named:
            found = layout.read(listing)
            if found:
                return layout, found
    return None


list_folder = Listing.of
