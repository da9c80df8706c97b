"""Connections to ClickHouse, and its errors in Tidegate's words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import clickhouse_connect
from clickhouse_connect.driver import exceptions
from clickhouse_connect.driver.client import Client
from urllib3.exceptions import HTTPError

from schemas.errors import ConfigError, PipelineError, PoisonError, StoreUnavailable
from streams.store import StoreConnection

POISON = {
    6: "CANNOT_PARSE_TEXT",
    25: "CANNOT_PARSE_ESCAPE_SEQUENCE",
    26: "CANNOT_PARSE_QUOTED_STRING",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    33: "CANNOT_READ_ALL_DATA",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    53: "TYPE_MISMATCH",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    117: "INCORRECT_DATA",
    128: "TOO_LARGE_ARRAY_SIZE",
    130: "CANNOT_READ_ARRAY_FROM_TEXT",
    131: "TOO_LARGE_STRING_SIZE",
    306: "TOO_DEEP_RECURSION",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    376: "CANNOT_PARSE_UUID",
    407: "DECIMAL_OVERFLOW",
    467: "CANNOT_PARSE_BOOL",
    469: "VIOLATED_CONSTRAINT",
}
"""Codes by which ClickHouse refuses the rows themselves."""

CONFIG = {
    16: "NO_SUCH_COLUMN_IN_TABLE",
    36: "BAD_ARGUMENTS",
    43: "ILLEGAL_TYPE_OF_ARGUMENT",
    44: "ILLEGAL_COLUMN",
    46: "UNKNOWN_FUNCTION",
    47: "UNKNOWN_IDENTIFIER",
    50: "UNKNOWN_TYPE",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    80: "INCORRECT_QUERY",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    164: "READONLY",
    170: "CLUSTER_DOESNT_EXIST",
    192: "UNKNOWN_USER",
    193: "WRONG_PASSWORD",
    194: "REQUIRED_PASSWORD",
    195: "IP_ADDRESS_NOT_ALLOWED",
    452: "SETTING_CONSTRAINT_VIOLATION",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
}
"""Codes that stay until somebody changes a setting, a grant or a table."""


def connect(
    connection: StoreConnection, *, database: str | None = None, explain: bool = True
) -> Client:
    """Return a client, safe to use from several threads.

    Args:
        connection: How to reach ClickHouse, and as whom.
        database: Another database than the connection's; empty for none.
        explain: Whether errors carry ClickHouse's own words. They quote the rows it refuses.

    Raises:
        StoreUnavailable: If ClickHouse does not answer.
        ConfigError: If it refuses the user.
    """
    # What fails is raised; the driver's own line says less at more length, once a try.
    logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)
    with translated():
        return clickhouse_connect.get_client(
            host=connection.host,
            port=connection.port,
            username=connection.username,
            password=connection.password,
            database=connection.database if database is None else database or "default",
            secure=connection.secure,
            ca_cert=connection.cafile or None,
            compress=False,
            client_name="tidegate",
            autogenerate_session_id=False,
            show_clickhouse_errors=explain,
            connect_timeout=5,
            send_receive_timeout=60,
        )


@contextmanager
def translated() -> Iterator[None]:
    """Raise what clickhouse-connect raises inside as Tidegate's own error."""
    try:
        yield
    except (exceptions.ClickHouseError, HTTPError, OSError) as error:
        raise translate(error) from error


def translate(error: Exception) -> PipelineError:
    """Return what ``error`` means for the sink; what is not named here may pass by itself."""
    code = getattr(error, "code", None)
    if code in POISON:
        return PoisonError(f"ClickHouse refuses the rows: {POISON[code]}")
    if code in CONFIG:
        words = "" if str(error) == exceptions.GENERIC_CLICKHOUSE_ERROR else f": {error}"
        return ConfigError(f"ClickHouse says {CONFIG[code]}{words}", key="TIDEGATE_CLICKHOUSE")
    if isinstance(error, exceptions.ProgrammingError | exceptions.NotSupportedError):
        return ConfigError(f"clickhouse-connect refuses the call: {error}")
    name = getattr(error, "name", None) or type(error).__name__
    said = name if code is None else f"error {code}, {name}"
    return StoreUnavailable(f"ClickHouse does not take it now: {said}")
