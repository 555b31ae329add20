"""A project and a TMPDIR may be called anything that the file system takes."""

from dataclasses import replace

import pytest

from tests.ends.runs import SOUND, Workplace

_NAMES = {
    "space": "with space",
    "quotes": 'quote\'s "both"',
    "non-ASCII": "Überprüfung-資料 🙈",
    "shell": "$HOME `x` 100%s \\ *? #~",
    "bracket": "app[1]",
    "dash": "-x",
    "comma": "a,b;c:d=e",
    "newline": "new\nline",
    "long": "long-" * 45,  # beyond what a socket's path may have (unix(7): 108 bytes)
}


@pytest.mark.parametrize("name", _NAMES.values(), ids=_NAMES.keys())
def test_any_name(workplace: Workplace, name: str) -> None:
    project, temporary = workplace.temporary / name / "project", workplace.temporary / name / "tmp"
    for path in (project, temporary):
        path.mkdir(parents=True)
        path.chmod(0o777)
    (project / "pytest.ini").touch()
    there = replace(workplace, project=project, temporary=temporary).with_environment(TMPDIR=str(temporary))
    ended = there.write(SOUND).run()
    assert ended.exit_code == 0, ended.output
    assert ended.outcomes == ["passed", "passed"]
    assert list(temporary.iterdir()) == []
