"""Private databases of a history that a test writes down, on a throwaway server or on one that is somebody else's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.places import Place, place_of_our_own, place_on
from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.postgres.given import given_server
from pytest_migsafe.rehearsal.laboratory import Laboratory
from pytest_migsafe.review import conditions
from pytest_migsafe.settings import Settings


@contextmanager
def laboratory_of(
    folder: Path, files: Mapping[str, str], on: Binaries | str, **settings: Any
) -> Iterator[Laboratory]:
    """Yield a laboratory of migrations; ``on`` are a throwaway server's programs, or a given server's DSN."""
    for name, text in files.items():
        path = folder / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (history,) = find_histories(folder, [folder / "migrations"])
    chosen = Settings(root=folder, **settings)
    place: Place
    if isinstance(on, str):
        chosen = replace(chosen, dsn=on)
        place = place_on(given_server(on), chosen, history.layout)
    else:
        place = place_of_our_own(on, chosen, history.layout)
    with Laboratory(
        history=history,
        open=place.open,
        copy=place.copy,
        conditions=conditions(chosen, place.preludes),
    ) as laboratory:
        yield laboratory
