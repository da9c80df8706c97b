"""Every error of the driver has a meaning for the sink."""

from __future__ import annotations

import inspect

import pytest
import urllib3.exceptions
from clickhouse_connect.driver import exceptions

from schemas.errors import ConfigError, PipelineError, PoisonError, StoreUnavailable
from streams.clickhouse_client import CONFIG, POISON, translate, translated
from streams.clickhouse_store import ClickHouseStore
from streams.store import StoreConnection

MEANING: dict[str, type[PipelineError]] = {
    "ClickHouseError": StoreUnavailable,
    "Warning": StoreUnavailable,
    "Error": StoreUnavailable,
    "InterfaceError": StoreUnavailable,
    "DatabaseError": StoreUnavailable,
    "DataError": StoreUnavailable,
    "OperationalError": StoreUnavailable,
    "IntegrityError": StoreUnavailable,
    "InternalError": StoreUnavailable,
    "ProgrammingError": ConfigError,
    "NotSupportedError": ConfigError,
    "StreamClosedError": ConfigError,
    "StreamFailureError": StoreUnavailable,
}
INTERNAL = {"StreamCompleteException"}
"""Never leaves the driver: it ends the reading of a stream."""


def all_errors() -> dict[str, type[Exception]]:
    """Return the driver's exception classes by name."""
    members = inspect.getmembers(exceptions, inspect.isclass)
    return {
        name: cls
        for name, cls in members
        if issubclass(cls, Exception) and cls.__module__ == exceptions.__name__
    }


def test_every_error_of_the_driver_is_known() -> None:
    """A driver that brings a new error fails this test until somebody says what it means."""
    assert set(all_errors()) - INTERNAL == set(MEANING)


@pytest.mark.parametrize("name", MEANING)
def test_each_error_means_what_is_written(name: str) -> None:
    """Each class without a server's code is translated as listed, wherever it is raised."""
    cls = all_errors()[name]
    error = cls() if name == "StreamClosedError" else cls("said")
    with pytest.raises(MEANING[name]) as raised, translated():
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [OSError("no"), ConnectionResetError(), urllib3.exceptions.HTTPError("no")]
)
def test_a_broken_connection_may_heal(error: Exception) -> None:
    """What the network does passes by itself."""
    with pytest.raises(StoreUnavailable), translated():
        raise error


def test_codes_of_the_server_come_before_the_class() -> None:
    """Rows that are refused, settings that are wrong and all else are told apart by code."""
    for code, name in POISON.items():
        error = translate(exceptions.DatabaseError("quoted row", code=code))
        assert isinstance(error, PoisonError)
        assert name in str(error)
        assert "quoted row" not in str(error)
    for code, name in CONFIG.items():
        error = translate(exceptions.OperationalError("said", code=code))
        assert isinstance(error, ConfigError)
        assert name in str(error)
    passing = translate(exceptions.DatabaseError("said", code=241))
    assert isinstance(passing, StoreUnavailable)
    assert "241" in str(passing)


def test_no_code_means_two_things() -> None:
    """The two lists do not overlap."""
    assert not set(POISON) & set(CONFIG)


def test_a_store_that_is_not_there_is_unavailable() -> None:
    """Nothing listens, so the rows wait."""
    store = ClickHouseStore(StoreConnection("127.0.0.1", port=1))
    with pytest.raises(StoreUnavailable):
        store.insert("requests", [b"{}"], "t")
