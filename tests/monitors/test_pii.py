"""Personal data: what is masked, and what merely looks like it."""

from __future__ import annotations

import pytest

from monitors.guard import Guard
from monitors.pii import Pii


@pytest.fixture(scope="module")
def pii() -> Guard:
    """Return one guard for all tests."""
    return Pii()


def found(guard: Guard, text: str) -> list[tuple[str, str]]:
    """Return label and text of every span."""
    (scan,) = guard.scan([text])
    return [(span.label, text[span.start : span.end]) for span in scan.spans]


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        ("4111111111111111", "CARD", "4111111111111111"),
        ("my card 4111 1111 1111 1111, thanks", "CARD", "4111 1111 1111 1111"),
        ("4111-1111-1111-1111 exp 12/26", "CARD", "4111-1111-1111-1111"),
        ("4111 1111 1111 1111 12/26 123", "CARD", "4111 1111 1111 1111"),
        ("it is 4111 1111 1111 1111 1st of May", "CARD", "4111 1111 1111 1111"),
        ("amex 3782 822463 10005.", "CARD", "3782 822463 10005"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "CARD", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
        ("2223003122003222", "CARD", "2223003122003222"),
        (
            "\uff14\uff11\uff11\uff11 1111 1111 1111",
            "CARD",
            "\uff14\uff11\uff11\uff11 1111 1111 1111",
        ),
        ("DE89370400440532013000", "IBAN", "DE89370400440532013000"),
        ("to gb82 west 1234 5698 7654 32 today 5 times", "IBAN", "gb82 west 1234 5698 7654 32"),
        ("NO93\u00a08601\u00a01117\u00a0947", "IBAN", "NO93\u00a08601\u00a01117\u00a0947"),
        ("write to a.b+c@mail.example.co.uk.", "EMAIL", "a.b+c@mail.example.co.uk"),
        ("'jo@example.com'", "EMAIL", "jo@example.com"),
        ("+44 20 7946 0958", "PHONE", "+44 20 7946 0958"),
        ("+1 (212) 555-0123", "PHONE", "+1 (212) 555-0123"),
        ("(212) 555-0123", "PHONE", "(212) 555-0123"),
        ("1-800-555-0199", "PHONE", "1-800-555-0199"),
        ("020 7946 0958", "PHONE", "020 7946 0958"),
        ("06 12 34 56 78", "PHONE", "06 12 34 56 78"),
        ("call me on 07700900123", "PHONE", "07700900123"),
        ("my SSN: 078-05-1121", "SSN", "078-05-1121"),
    ],
)
def test_personal_data_is_found(pii: Guard, text: str, label: str, value: str) -> None:
    """Each way of writing it is found, exactly as far as it goes."""
    assert found(pii, text) == [(label, value)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # Luhn
        "9111 1111 1111 1110",  # no brand
        "order 1234567890123456",
        "41111111111111111111111111111111",  # longer than a card
        "DE89370400440532013001",  # checksum
        "DE8937040044053201300",  # too short
        "XX89370400440532013000",  # no such country
        "sold at EUR 1,200.50 on 01-02-2024 10:30",
        "2024-01-15 12:30:45, 15.01.2024",
        "192.168.100.200 or 10.0.0.1:8080",
        "version 1.2.3.4.5.6.7.8.9.10.11.12",
        "call about order 12345678",
        "reference 0012345678901",
        "+999 123 456 789",  # no such country
        "a@b, @handle, user@localhost",
        "000-12-3456 and 912-34-5678",
        "pi is 3.14159265358979",
    ],
)
def test_what_merely_looks_like_it_is_left(pii: Guard, text: str) -> None:
    """Numbers of other kinds, failed checksums and dates are not masked."""
    assert found(pii, text) == []


def test_several_in_one_text_are_told_apart(pii: Guard) -> None:
    """Neighbours do not hide each other."""
    text = "DE89370400440532013000 GB82WEST12345698765432 4111111111111111 2024 4242424242424242"
    assert [label for label, _ in found(pii, text)] == ["IBAN", "IBAN", "CARD", "CARD"]


def test_the_surest_find_is_the_score(pii: Guard) -> None:
    """A checksum is proof, a shape is not."""
    sure, shape = pii.scan(["4111111111111111 and 020 7946 0958", "020 7946 0958"])
    assert sure.score == 1.0
    assert 0.5 <= shape.score < 1.0
