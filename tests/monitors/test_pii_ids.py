"""Identity numbers, addresses of machines, and what merely looks like them."""

from __future__ import annotations

import pytest

from monitors.pii import KINDS, Pii

EVERYTHING = Pii(Pii.Options(labels=KINDS))


def found(text: str) -> list[tuple[str, str]]:
    """Return label and text of every span."""
    (scan,) = EVERYTHING.scan([text])
    return [(span.label, text[span.start : span.end]) for span in scan.spans]


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        ("DNI 12345678Z", "NATIONAL_ID", "12345678Z"),
        ("NIE X1234567L.", "NATIONAL_ID", "X1234567L"),
        ("CF RSSMRA85T10A562S", "NATIONAL_ID", "RSSMRA85T10A562S"),
        ("2 55 08 14 168 025 38", "NATIONAL_ID", "2 55 08 14 168 025 38"),
        ("my NI number is QQ 12 34 56 C, no: AB 12 34 56 C", "NATIONAL_ID", "AB 12 34 56 C"),
        ("NHS number 943 476 5919", "NATIONAL_ID", "943 476 5919"),
        ("Steuer-ID 86 095 742 719", "NATIONAL_ID", "86 095 742 719"),
        ("bsn: 111222333", "NATIONAL_ID", "111222333"),
        ("PESEL 44051401359", "NATIONAL_ID", "44051401359"),
        ("85.07.30-033.28", "NATIONAL_ID", "85.07.30-033.28"),
        ("131052-308T", "NATIONAL_ID", "131052-308T"),
        ("CPF 111.444.777-35", "NATIONAL_ID", "111.444.777-35"),
        ("2341 2341 2346", "NATIONAL_ID", "2341 2341 2346"),
        ("11010519491231002X", "NATIONAL_ID", "11010519491231002X"),
        ("passport no C01234567", "NATIONAL_ID", "C01234567"),
        ("from 8.8.4.4, port 80", "IP", "8.8.4.4"),
        ("at 2a00:1450:4001:81b::200e now", "IP", "2a00:1450:4001:81b::200e"),
        ("mac 3c:22:fb:01:ab:9e", "MAC", "3c:22:fb:01:ab:9e"),
        ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "CRYPTO", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        ("see https://www.example.org/a?b=c.", "URL", "https://www.example.org/a?b=c"),
    ],
)
def test_what_proves_itself_is_found(text: str, label: str, value: str) -> None:
    """Each is found, exactly as far as it goes."""
    assert found(text) == [(label, value)]


@pytest.mark.parametrize(
    "text",
    [
        "DNI 12345678A",
        "RSSMRA85T10A562T",
        "PESEL 44051401358",
        "44051401359",
        "85.07.30-033.29",
        "CPF 111.444.777-34",
        "2341 2341 2345",
        "110105194912310021",
        "version 8.8.4.4",
        "127.0.0.1 and 300.1.1.1",
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyU",
        "at 12:30:45",
    ],
)
def test_what_fails_its_check_is_left(text: str) -> None:
    """A wrong check digit, a missing word before it, or another meaning of the same shape."""
    assert found(text) == []


def test_pages_are_left_unless_asked_for() -> None:
    """Most pages tell nothing about anybody."""
    (scan,) = Pii().scan(["see https://www.example.org/"])
    assert scan.spans == ()
