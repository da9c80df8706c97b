"""The embedded ClickHouse server's settings and users, where they depart from its defaults.

A log table of the server's own (query_log, metric_log and the like) exists only where a section of
the configuration asks for it. None does: written many times a second, they cost more than a small
pipeline's rows.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MIB = 1 << 20

_SMALL_MACHINE = {
    "mark_cache_size": 64 * _MIB,
    "uncompressed_cache_size": 0,
    "index_mark_cache_size": 16 * _MIB,
    "primary_index_cache_size": 32 * _MIB,
    "mmap_cache_size": 100,
    "compiled_expression_cache_size": 16 * _MIB,
    "max_connections": 256,
    "max_concurrent_queries": 64,
    "background_pool_size": 2,
    "background_merges_mutations_concurrency_ratio": 2,
    "background_move_pool_size": 1,
    "background_fetches_pool_size": 1,
    "background_common_pool_size": 2,
    "background_schedule_pool_size": 4,
    "background_buffer_flush_schedule_pool_size": 1,
    "background_distributed_schedule_pool_size": 1,
    "background_message_broker_schedule_pool_size": 1,
    "tables_loader_foreground_pool_size": 2,
    "tables_loader_background_pool_size": 2,
    "max_thread_pool_free_size": 16,
    "async_insert_threads": 1,
    "asynchronous_metrics_update_period_s": 60,
    "asynchronous_heavy_metrics_update_period_s": 3600,
}


@dataclass(frozen=True)
class Passwords:
    """The three users' passwords; the reader needs none when everybody here may read."""

    owner: str
    writer: str
    reader: str | None


def server(
    home: Path, log_file: Path, host: str, http_port: int, native_port: int, memory_mb: int
) -> str:
    """Return the server's configuration file.

    Args:
        home: The folder of everything the server writes but its log.
        log_file: The server's log.
        host: The one address it listens on.
        http_port: For clickhouse-connect, Grafana and the play page.
        native_port: For clickhouse-client.
        memory_mb: What the server may use, in MiB.
    """
    settings: dict[str, Any] = {
        "listen_host": host,
        "http_port": http_port,
        "tcp_port": native_port,
        "path": f"{home}/",
        "tmp_path": f"{home}/tmp/",
        "user_files_path": f"{home}/user_files/",
        "format_schema_path": f"{home}/format_schemas/",
        "user_directories": {
            "users_xml": {"path": f"{home}/users.xml"},
            "local_directory": {"path": f"{home}/access/"},
        },
        "access_control_improvements": {
            "users_without_row_policies_can_read_rows": "true",
            "on_cluster_queries_require_cluster_grant": "true",
            "select_from_system_db_requires_grant": "true",
            "select_from_information_schema_requires_grant": "true",
            "settings_constraints_replace_previous": "true",
        },
        "logger": {
            "level": "warning",
            "log": str(log_file),
            "size": "10M",
            "count": 5,
            "formatting": {"type": "json"},
            # They quote queries and rows that fail; the client that sent them is told anyway.
            "levels": {
                "logger": [
                    {"name": name, "level": "none"}
                    for name in ("executeQuery", "DynamicQueryHandler", "TCPHandler")
                ]
            },
        },
        # Idle connections would hold a stop up for as long; inserts that it cuts are sent again.
        "shutdown_wait_unfinished": 2,
        "max_server_memory_usage": memory_mb * _MIB,
        # Sent to nobody: no crash reports, no look at the machine's clouds.
        "send_crash_reports": {"enabled": "false"},
        **_SMALL_MACHINE,
    }
    return _xml(settings)


def users(passwords: Passwords, database: str) -> str:
    """Return the users' configuration file.

    Args:
        passwords: The three users' passwords; only their digests are written.
        database: The one database that writer and reader may see.
    """
    reader: dict[str, Any] = {"no_password": ""}
    if passwords.reader is not None:
        reader = _digest(passwords.reader)
    return _xml(
        {
            "profiles": {"default": {}, "reader": _READER},
            "quotas": {"default": {}},
            "users": {
                "owner": {
                    **_digest(passwords.owner),
                    **_user("default"),
                    "access_management": 1,
                },
                "tidegate_writer": {
                    **_digest(passwords.writer),
                    **_user("default", f"GRANT SELECT, INSERT ON {database}.*"),
                },
                "default": {**reader, **_user("reader", f"GRANT SELECT ON {database}.*")},
            },
        }
    )


_READER = {
    "readonly": 1,
    "max_execution_time": 60,
    "max_memory_usage": 1024 * _MIB,
    "max_memory_usage_for_user": 1536 * _MIB,
    "max_rows_to_read": 2_000_000_000,
    "max_result_rows": 5_000_000,
    "max_concurrent_queries_for_user": 16,
    # One repeated event is one row, also where a merge has not yet joined the two.
    "final": 1,
    "do_not_merge_across_partitions_select_final": 1,
    "constraints": {
        # Grafana sets it with every query; read-only users may change nothing else.
        "max_execution_time": {"changeable_in_readonly": "", "min": 1, "max": 300},
    },
}


def _xml(settings: dict[str, Any]) -> str:
    """Return ``settings`` as ClickHouse's XML; a list is its element, repeated."""
    root = ET.Element("clickhouse")
    _add(root, settings)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _add(parent: ET.Element, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        for item in value if isinstance(value, list) else [value]:
            element = ET.SubElement(parent, name)
            if isinstance(item, dict):
                _add(element, item)
            else:
                element.text = str(item)


def _digest(password: str) -> dict[str, str]:
    return {"password_sha256_hex": hashlib.sha256(password.encode()).hexdigest()}


def _user(profile: str, *grants: str) -> dict[str, Any]:
    user: dict[str, Any] = {
        "profile": profile,
        "quota": "default",
        "networks": {"ip": ["127.0.0.1", "::1"]},
    }
    if grants:
        user["grants"] = {"query": list(grants)}
    return user
