"""Settings: where they come from, and that no slip passes."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from infra.settings import Settings
from infra.settings_sources import known_keys, load_settings, variable_of
from schemas.errors import ConfigError


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep this machine's own settings out."""
    for key in known_keys():
        monkeypatch.delenv(variable_of(key), raising=False)
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, text: str) -> Path:
    """Return a settings file that holds ``text``."""
    path = tmp_path / "some.toml"
    path.write_text(text)
    return path


def test_defaults_run_the_embedded_system(tmp_path: Path) -> None:
    """Without any setting the data lies in the working folder and nothing points elsewhere."""
    settings = load_settings()
    assert settings.data == tmp_path / ".tidegate"
    assert settings.registry == tmp_path / "registry"
    assert settings.kafka is None
    assert settings.clickhouse is None
    assert settings.connection().bootstrap == "127.0.0.1:9092"


def test_environment_overrides_the_file_key_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable replaces its own key of the file and leaves the rest of the section."""
    path = written(tmp_path, 'kafka = "a:1"\n[topics]\npartitions = 2\nhours = 5\n')
    monkeypatch.setenv("TIDEGATE_TOPICS__PARTITIONS", "9")
    settings = load_settings(path)
    assert settings.kafka == "a:1"
    assert (settings.topics.partitions, settings.topics.hours) == (9, 5)


def test_plain_variables_are_plain_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of Kafka and ClickHouse are addresses, not JSON."""
    monkeypatch.setenv("TIDEGATE_KAFKA", "one:9092,two:9092")
    monkeypatch.setenv("TIDEGATE_CLICKHOUSE", "https://store.example:8443/events")
    monkeypatch.setenv("TIDEGATE_EMBEDDED_AUTH", "1")
    settings = load_settings()
    assert settings.connection().bootstrap == "one:9092,two:9092"
    assert settings.embedded_auth
    store = settings.store("writer")
    assert (store.secure, store.host, store.port) == (True, "store.example", 8443)
    assert store.database == "events"


def test_the_file_in_the_working_folder_is_read(tmp_path: Path) -> None:
    """``tidegate.toml`` is found without being named, and roles are told where it was."""
    (tmp_path / "tidegate.toml").write_text("[sink]\nlinger_s = 0.5\n")
    settings = load_settings()
    assert settings.sink.linger_s == 0.5
    assert settings.config == tmp_path / "tidegate.toml"


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files set variables to nothing; that leaves the default."""
    monkeypatch.setenv("TIDEGATE_KAFKA", "")
    assert load_settings().kafka is None


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("TIDEGATE_KAFKAA", "TIDEGATE_KAFKA"),
        ("TIDEGATE_TOPICS__PARTITION", "TIDEGATE_TOPICS__PARTITIONS"),
        ("tidegate_data", "TIDEGATE_DATA"),
        ("TIDEGATE_SEAL__KEYFILE", "TIDEGATE_SEAL__KEY_FILE"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_closest_known(
    variable: str, near: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable stops the start and says what was probably meant."""
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ConfigError) as raised:
        load_settings()
    assert raised.value.key == variable
    assert str(raised.value).endswith(f"did you mean {near}?")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[topics]\npartition = 3\n", ":2: topics.partition: is no setting; did you mean"),
        ("\nkafak = 'a:1'\n", ":2: kafak: is no setting; did you mean kafka?"),
        ("[topic]\npartitions = 3\n", ":1: topic: is no setting; did you mean topics?"),
        ("[gate]\n\nrequest_deadline_s = 0\n", ":3: gate.request_deadline_s: Input should be"),
        ("topics = 4\n", ":1: topics: Input should be"),
        ("data = [1]\n", ":1: data: Input is not"),
        ("data =\n", "is no TOML"),
    ],
)
def test_a_slip_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """File, line and key of what is unknown or will not do stand in the one sentence."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load_settings(path)
    assert str(raised.value).startswith(str(path))
    assert said in str(raised.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A file that was named must exist."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_settings(tmp_path / "none.toml")


def test_a_bad_value_of_a_variable_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named also when a file exists beside it."""
    monkeypatch.setenv("TIDEGATE_PORTS__KAFKA", "70000")
    with pytest.raises(ConfigError, match="TIDEGATE_PORTS__KAFKA: Input should be less than"):
        load_settings()


def test_a_secret_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``_FILE`` names a file; it is for secrets alone, and not beside the secret itself."""
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("TIDEGATE_KAFKA", "a:1")
    monkeypatch.setenv("TIDEGATE_KAFKA_SECURITY__PASSWORD_FILE", str(tmp_path / "secret"))
    assert load_settings().connection().password == "hush"
    monkeypatch.setenv("TIDEGATE_KAFKA_SECURITY__PASSWORD", "other")
    with pytest.raises(ConfigError, match="is set as well as TIDEGATE_KAFKA_SECURITY__PASSWORD"):
        load_settings()


def test_only_secrets_have_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with ``_FILE`` after a name that is no secret is unknown."""
    monkeypatch.setenv("TIDEGATE_KAFKA_FILE", "/somewhere")
    with pytest.raises(ConfigError, match="TIDEGATE_KAFKA_FILE: is no setting"):
        load_settings()


def test_secrets_are_masked_wherever_settings_are_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No way of printing the settings, or what is made of them, shows a secret."""
    monkeypatch.setenv("TIDEGATE_KAFKA", "a:1")
    for section in ("KAFKA_SECURITY", "CLICKHOUSE_SECURITY"):
        monkeypatch.setenv(f"TIDEGATE_{section}__PASSWORD", "hush-hush")
    monkeypatch.setenv("TIDEGATE_SEAL__KEY", "hush-hush")
    settings = load_settings()
    connection = settings.connection()
    for printed in (repr(settings), str(settings), settings.model_dump_json(), repr(connection)):
        assert "hush" not in printed
    assert connection.password == "hush-hush"


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with a sealing key is said without the key."""
    monkeypatch.setenv("TIDEGATE_SEAL__KEY", base64.b64encode(b"hush").decode())
    with pytest.raises(ConfigError, match="holds 4 bytes and not 32") as raised:
        load_settings().sealing_key()
    assert base64.b64encode(b"hush").decode() not in str(raised.value)


def test_settings_are_frozen() -> None:
    """Nobody changes the settings once they are read."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings().kafka = "elsewhere:1"  # type: ignore[misc]


def test_every_attribute_is_described() -> None:
    """An operator finds every setting in the documentation of its section."""
    for section in Settings.model_fields.values():
        kind = section.annotation
        for name in getattr(kind, "model_fields", {}):
            if kind.__name__ != "Ports":  # type: ignore[union-attr]
                assert f"        {name}: " in (kind.__doc__ or ""), f"{kind}.{name}"


@pytest.mark.parametrize("address", ["ftp://x/y", "store:8123", "http://u:p@h/d", "http://h:99999"])
def test_a_wrong_address_of_the_store_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything but ``http(s)://host:port/database`` is named, and a password in it is not told."""
    monkeypatch.setenv("TIDEGATE_CLICKHOUSE", address)
    with pytest.raises(ConfigError, match="TIDEGATE_CLICKHOUSE"):
        load_settings().store("reader")
