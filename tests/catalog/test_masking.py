"""Secrets in options are told apart, and not told."""

import pytest

from pytest_migsafe.catalog.masking import UNREADABLE, masked, masked_connection


@pytest.mark.parametrize(
    "name", ["password", "PASSWD", "api_key", "aws_secret_access_key", "conn_string", "oauth_token", "sslkey"]
)
def test_a_secret_is_a_fingerprint(name: str) -> None:
    shown = masked(f"{name}=hunter2=")
    assert shown.startswith(f"{name}=*** (")
    assert "hunter2" not in shown
    assert shown == masked(f"{name}=hunter2=")
    assert shown != masked(f"{name}=hunter3")


@pytest.mark.parametrize("option", ["host=db", "user=app", "table_name=orders", "key_column=id", "port=5432"])
def test_anything_else_stays_as_it_is(option: str) -> None:
    assert masked(option) == option


def test_a_connection_string_is_its_parameters() -> None:
    host, password = masked_connection(["host=db password='a b'"])
    assert host == "host=db"
    assert password.startswith("password=*** (")
    (password,) = {*masked_connection(["postgresql://me:x@db/app"])} - {"user=me", "host=db", "dbname=app"}
    assert password.startswith("password=*** (")
    assert masked_connection([UNREADABLE]) == [UNREADABLE]
    (whole,) = masked_connection(["host='half password=hunter2"])
    assert "hunter2" not in whole
