"""The way back: SQL that leads from one schema to another, in the order of what depends on what.

It is made of the two schemas alone. What cannot be said in SQL, or not truly, is named instead (`Unsaid`). Values that are
gone stay gone: what was dropped comes back empty. `search` tries the statements in a database, where what they take along
shows, and puts it back, too.
"""

from pytest_migsafe.catalog.inverse.inversion import Inverse, inverse
from pytest_migsafe.catalog.inverse.renaming import Renamed, alike, names_back
from pytest_migsafe.catalog.inverse.search import Found, search
from pytest_migsafe.catalog.inverse.steps import Unsaid

__all__ = ["Found", "Inverse", "Renamed", "Unsaid", "alike", "inverse", "names_back", "search"]
