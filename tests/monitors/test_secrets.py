"""Credentials: what is masked, and what merely talks of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.guard import Guard
from monitors.key_checks import crc32_base62
from monitors.key_formats import FORMATS
from monitors.matching import Matcher
from monitors.secrets import Secrets

# Split, so that no scanner takes these made-up keys for real ones.
KEY = "q7RzX2mV9pLs4TtB" + "k8WnY3cD6fGh"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkw" + "In0.dozjgNryP4J3jVmN"
BLOCK = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7v\n-----END RSA PRIVATE KEY-----"
CUT_OFF = "-----BEGIN " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7vMIIEpAIB"


@pytest.fixture(scope="module")
def secrets() -> Guard:
    """Return one guard for all tests."""
    return Secrets()


def found(guard: Guard, text: str) -> list[tuple[str, str]]:
    """Return label and text of every span."""
    (scan,) = guard.scan([text])
    return [(span.label, text[span.start : span.end]) for span in scan.spans]


@pytest.mark.parametrize(
    ("before", "secret", "after", "label"),
    [
        ("key ", "AKIA" + "IOSFODNN7EXAMPLE", " of mine", "AWS_KEY"),
        ("", "ghp_" + "a1B2" * 9, "", "GITHUB_TOKEN"),
        ("", "github_pat_" + "a1B2" * 8, ".", "GITHUB_TOKEN"),
        ("", "glpat-" + "a1B2" * 5, "", "GITLAB_TOKEN"),
        ("", "xoxb-" + "1234567890-abcdef", "", "SLACK_TOKEN"),
        ("//", "hooks.slack.com/services/" + "T000AAA/B000AAA/a1B2c3", "", "SLACK_WEBHOOK"),
        ("", "npm_" + "a1B2" * 9, "", "NPM_TOKEN"),
        ("", "shpat_" + "a1b2" * 8, "", "SHOPIFY_TOKEN"),
        ("", "dop_v1_" + "a1b2" * 16, "", "DIGITALOCEAN_TOKEN"),
        ("", "hvs." + "a1B2" * 8, "", "VAULT_TOKEN"),
        ("", "glsa_" + "a1B2" * 8 + "_0a1b2c3d", "", "GRAFANA_TOKEN"),
        ("", "access-production-" + "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "", "PLAID_TOKEN"),
        ("Authorization: Basic ", "dXNlcjpwYXNz" + "d29yZA==", "", "AUTHORIZATION"),
        ("https://", "discord.com/api/webhooks/" + "123456789012345678/" + "a1B2" * 16, "",
         "DISCORD_WEBHOOK"),
        ("", "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", " is mine", "CRYPTO_KEY"),
        ("", "sk_live_" + "a1B2" * 6, "", "STRIPE_KEY"),
        ("", "AIza" + "a1B2c" * 7, "", "GOOGLE_KEY"),
        ("", "sk-proj-" + "aB3_" * 10, "", "MODEL_KEY"),
        ("", "hf_" + "aB3d" * 9, "", "MODEL_KEY"),
        ("", "pypi-" + "aB3d" * 15, "", "PACKAGE_TOKEN"),
        ("", "SG." + "aB3d" * 5 + "." + "aB3d" * 10, "", "SENDGRID_KEY"),
        ("", "12345678:AA" + "aB3" * 11, "", "TELEGRAM_TOKEN"),
        ("Bearer ", JWT, "", "JWT"),
        ("here: ", BLOCK, "\nthanks", "PRIVATE_KEY"),
        ("here: ", CUT_OFF, " and that was it", "PRIVATE_KEY"),
        ("postgres://bob:", "hunter22", "@db.local/x", "PASSWORD"),
        ("API_KEY=", KEY, "", "SECRET"),
        ('"api key": "', KEY, '"', "SECRET"),
        ("my password is ", "hunter2hunter!", " I think", "SECRET"),
        ("client-secret := '", KEY, "'", "SECRET"),
    ],
)  # fmt: skip
def test_secrets_are_found(
    secrets: Guard, before: str, secret: str, after: str, label: str
) -> None:
    """Each is found exactly as far as it goes; of an assignment, the value alone."""
    assert found(secrets, before + secret + after) == [(label, secret)]


@pytest.mark.parametrize(
    "text",
    [
        "what is my password: something?",
        "I forgot my password. Is it on the card?",
        "the secret is patience",
        "token: aaaaaaaa1111",
        "a task-based approach to ask-me-anything",
        "AKIA and ghp_ are prefixes",
        "https://example.com:8080/path",
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK has a wrong check",
        "the file key-value store and the pattern pat.1 are not tokens",
        "session=about-the-quarterly-meeting",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_talk_of_secrets_is_left(secrets: Guard, text: str) -> None:
    """Words about secrets, short values and public things are not masked."""
    assert found(secrets, text) == []


def test_a_check_that_holds_makes_surer(secrets: Guard) -> None:
    """A token whose issuer's checksum is right is certain, one that has it wrong nearly so."""
    body = "a1B2c3D4e5" * 3
    right, wrong = "ghp_" + body + crc32_base62(body), "ghp_" + body + "zzzzzz"
    assert [scan.score for scan in secrets.scan([right, wrong])] == [1.0, 0.9]


@pytest.mark.parametrize("number", range(len(FORMATS)), ids=lambda n: f"{n}-{FORMATS[n].label}")
def test_every_format_is_seen_and_found(number: int) -> None:
    """A key made up from each format is seen by the seed and found by the expression, whole."""
    form = FORMATS[number]
    matcher = Matcher([form])

    @settings(max_examples=5)
    @given(st.from_regex(re.compile(form.regex, re.ASCII), fullmatch=True))
    def check(key: str) -> None:
        assert [match[0] for _, match in matcher.find(f"- {key} -")]

    check()
