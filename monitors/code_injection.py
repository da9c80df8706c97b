"""Code where only words belong: SQL, shell, templates, paths, scripts and serialised objects."""

from __future__ import annotations

from collections.abc import Iterable

from monitors.decoding import View
from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.signs import weighed
from monitors.text import Text
from schemas.verdicts import Action, Direction

_WEIGHTS = {
    "sql": 0.8,
    "sql_hint": 0.4,
    "nosql": 0.7,
    "shell": 0.8,
    "shell_hint": 0.4,
    "template": 0.9,
    "traversal": 0.8,
    "script": 0.8,
    "serialised": 0.8,
    "xml": 0.8,
    "ldap": 0.7,
    "inner_network": 0.8,
    "header": 0.8,
    "prototype": 0.7,
    "python": 0.7,
    "php": 0.7,
    "spreadsheet": 0.8,
    "format_string": 0.6,
}
_RISKY = r"(?:cat|curl|wget|nc|ncat|bash|sh|rm|chmod|whoami|uname|powershell|python3?|perl|telnet)"
_HANDLER = r"on(?:error|load|click|mouseover|focus|toggle|start|begin|animationstart|pointerenter)"

# kind, expression, seed where hyperscan cannot read the expression. Case never matters.
_SIGNS: tuple[tuple[str, str, str], ...] = (
    ("sql", r"['\"]\s{0,4}(?:or|and|\|\|)\s{1,4}(['\"]?)(\w{1,20})\1\s{0,4}(?:=|like)\s{0,4}\1\2\b",
     r"['\"]\s{0,4}(?:or|and|\|\|)\s{1,4}['\"]?\w{1,20}['\"]?\s{0,4}(?:=|like)"),
    ("sql", r"\bor\s{1,4}(\d{1,4})\s{0,4}=\s{0,4}\1\b", r"\bor\s{1,4}\d{1,4}\s{0,4}=\s{0,4}\d"),
    ("sql", r"\bunion\s{1,8}(?:all\s{1,8}|distinct\s{1,8})?select\b", ""),
    ("sql", r"\bunion/\*{1,4}.{0,20}?\*/\s{0,4}select\b", r"\bunion/\*"),
    ("sql", r";\s{0,8}(?:drop|truncate|alter)\s{1,8}(?:table|database|schema|user|view)\b", ""),
    ("sql", r";\s{0,8}(?:delete\s{1,8}from|insert\s{1,8}into|shutdown\b|exec\s{1,4}xp_)", ""),
    ("sql", r"['\"]\s{0,4};\s{0,4}--", ""),
    ("sql", r"['\"]\)?\s{0,4}--\s{0,4}(?:$|[-+])", r"['\"]\)?\s{0,4}--"),
    ("sql", r"\b(?:xp_cmdshell|sp_executesql|sp_oacreate|utl_http\.request|dbms_pipe)\b", ""),
    ("sql", r"\bwaitfor\s{1,4}delay\s{0,4}['\"]", ""),
    ("sql", r"(?:select|and|or|;|\|\|)\s{0,4}\(?\s{0,4}(?:pg_sleep|sleep|benchmark)\s{0,2}\(\s{0,2}\d", ""),
    ("sql", r"\binto\s{1,4}(?:outfile|dumpfile)\s{1,4}['\"]", ""),
    ("sql", r"\b(?:load_file|extractvalue|updatexml)\s{0,2}\(\s{0,2}['\"\d@(]", ""),
    ("sql_hint", r"\binformation_schema\.|\bsqlite_master\b|\bpg_catalog\.|\bsys\.databases\b", ""),
    ("sql_hint", r"\bselect\s{1,4}[\w*,. ]{1,60}\sfrom\s{1,4}[\w.]{1,60}\s{1,4}where\b", r"\sfrom\s{1,4}[\w.]{1,60}\s{1,4}where\b"),
    ("sql_hint", r"\bdrop\s{1,4}(?:table|database)\s{1,4}\w", ""),
    ("nosql", r"[{\[]\s{0,4}['\"]?\$(?:ne|gt|gte|where|regex|nin|exists)\b", ""),
    ("nosql", r"\bdb\.\w{1,40}\.(?:drop|remove|deletemany)\(", ""),
    ("shell", rf"(?:;|&&|\|\|?|`)\s{{0,4}}(?:sudo\s{{1,4}})?{_RISKY}\s{{1,4}}[-/~.$'\"h]", ""),
    ("shell", rf"\$\(\s{{0,4}}{_RISKY}\b", ""),
    ("shell", r"\brm\s{1,4}-(?:rf|fr|r\s{1,4}-f)\s{1,4}[/~*$.]", ""),
    ("shell", r"\b(?:curl|wget)\s[^\n|;]{1,120}\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|da)?sh\b",
     r"\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|da)?sh\b"),
    ("shell", r"/dev/(?:tcp|udp)/[\w.]", ""),
    ("shell", r"\b(?:nc|ncat|netcat)\s{1,4}(?:-\w{1,8}\s{1,4}){0,4}-\w{0,6}e\s{1,4}/bin/", ""),
    ("shell", r"\bpowershell(?:\.exe)?\s{1,4}(?:-?\w{1,20}\s{1,4}){0,8}-e(?:nc|ncodedcommand)?\s", ""),
    ("shell", r"\b(?:invoke-expression|iex)\s{0,4}\(|\.downloadstring\(|invoke-webrequest\s[^\n|]{1,120}\|\s?iex", ""),
    ("shell", r":\(\)\s?\{\s?:\s?\|\s?:\s?&\s?\}\s?;\s?:", ""),
    ("shell", r"\bbase64\s{1,4}(?:-d|--decode|-D)\b[^\n]{0,60}\|\s{0,4}(?:ba|z)?sh\b", r"\bbase64\s{1,4}-"),
    ("shell", r"\bdd\s{1,4}if=/dev/(?:zero|u?random)\s{1,4}of=/dev/|\bmkfs\.\w{2,6}\s{1,4}/dev/", ""),
    ("shell_hint", r"\bchmod\s{1,4}(?:777|\+x|u\+s)\s", ""),
    ("shell_hint", r"/bin/(?:ba|z|da)?sh\b", ""),
    ("shell_hint", r"\bcmd(?:\.exe)?\s{1,4}/c\s", ""),
    ("template", r"\{\{\s{0,4}\d{1,6}\s{0,2}[*+-]\s{0,2}['\"]?\d{1,6}['\"]?\s{0,4}\}\}", ""),
    ("template", r"[$#*]\{\s{0,4}\d{1,6}\s{0,2}\*\s{0,2}\d{1,6}\s{0,4}\}", ""),
    ("template", r"\{[{%][^{}\n]{0,200}(?:__class__|__globals__|__mro__|__subclasses__|cycler\.|lipsum\.)",
     r"__(?:class|globals|mro|subclasses)__|(?:cycler|lipsum)\."),
    ("template", r"\$\{(?:jndi|env|sys|lower|upper|ctx|date):", ""),
    ("template", r"<%=?\s{0,4}(?:system|exec|`|\d{1,6}\s?\*|file\.)", ""),
    ("template", r"\bt\(java\.lang\.\w{1,40}\)|\bjava\.lang\.runtime\b|#set\s?\(\s?\$\w{1,30}\s?=", ""),
    ("template", r"\bfreemarker\.template\.utility\.execute\b|\?new\(\)\s?\}", ""),
    ("traversal", r"(?:\.\.[/\\]){3,}", r"\.\.[/\\]\.\.[/\\]\.\.[/\\]"),
    ("traversal", r"(?:%2e%2e|\.\.)(?:%2f|%5c|%252f){1,4}(?:%2e|\.)", ""),
    ("traversal", r"/etc/(?:passwd|shadow|sudoers|hosts\.allow)\b|/proc/self/(?:environ|cmdline|mem)\b", ""),
    ("traversal", r"\bfile:///(?:etc|proc|c:|var|home|root)\b", ""),
    ("traversal", r"\bphp://(?:filter|input)\b|\bexpect://|\bphar://", ""),
    ("traversal", r"\bc:\\{1,2}windows\\{1,2}(?:system32\\{1,2}(?:config|drivers)|win\.ini)|\bboot\.ini\b", ""),
    ("traversal", r"(?:\.\./|/)\.(?:ssh/id_|aws/credentials|git/config|env\b|kube/config)", ""),
    ("script", r"<script\b[^<>\n]{0,200}>", r"<script\b"),
    ("script", rf"<\w{{1,20}}\b[^<>]{{0,200}}?\b{_HANDLER}\s{{0,4}}=", rf"\b{_HANDLER}\s{{0,4}}="),
    ("script", r"\bjavascript:\s{0,4}(?:alert|confirm|prompt|eval|fetch|document|window|location)\b", ""),
    ("script", r"<iframe\b[^<>]{0,200}\bsrc(?:doc)?\s{0,4}=", r"<iframe\b"),
    ("script", r"\bdocument\.(?:cookie|write|location)\b|\bwindow\.location\s?=", ""),
    ("script", r"\bstring\.fromcharcode\s?\(|\batob\s?\(\s?['\"]", ""),
    ("script", r"<(?:object|embed|base|meta)\b[^<>]{0,100}\b(?:data|src|href|http-equiv)\s?=", r"<(?:object|embed|base|meta)\b"),
    ("serialised", r"\bO:\d{1,4}:\"[\w\\]{1,100}\":\d{1,4}:\{", ""),
    ("serialised", r"\brO0AB[A-Za-z0-9+/]{4}|\baced0005", ""),
    ("serialised", r"!!python/(?:object|name|module)|!!javax\.|!ruby/object:", ""),
    ("serialised", r"\bc(?:os|posix|nt|subprocess|builtins)\s{1,2}(?:system|popen|exec|eval)\b|__reduce(?:_ex)?__", ""),
    ("serialised", r"AAEAAAD/{4,5}|_\$\$ND_FUNC\$\$_|\bysoserial\b", ""),
    ("xml", r"<!entity\s{1,8}[%\w]", ""),
    ("xml", r"<!doctype\s[^<>\n]{1,120}\b(?:system|public)\s{1,4}['\"](?:file|https?|php|expect):", r"<!doctype\s"),
    ("xml", r"<xi:include\b|<!--\s?#\s?(?:exec|include)\b", ""),
    ("ldap", r"\*\)\s{0,2}\(\s{0,2}[|&!]?\(?\w{1,40}\s{0,2}=", ""),
    ("ldap", r"\(\s?[|&]\s?\(\w{1,40}=\*\)", ""),
    ("inner_network", r"\b169\.254\.169\.254\b|\bmetadata\.google\.internal\b|\b100\.100\.100\.200\b", ""),
    ("inner_network", r"\b(?:gopher|dict|ldap|tftp|jar)://[\w.\[]", ""),
    ("header", r"(?:%0d%0a|\\r\\n)\s{0,4}(?:set-cookie|location|content-length|content-type|bcc|host)\s{0,4}(?::|%3a)", ""),
    ("prototype", r"\b__proto__\b|\bconstructor\s{0,2}[.\[]['\"]?\s{0,2}prototype\b", ""),
    ("python", r"\b__import__\s?\(|\bos\.(?:system|popen)\s?\(|\bsubprocess\.(?:popen|run|call|check_output)\s?\(", ""),
    ("python", r"\b(?:eval|exec)\s?\(\s?(?:input|request|compile|base64|open|__)", ""),
    ("python", r"\b(?:pickle|marshal|dill|shelve)\.loads?\s?\(", ""),
    ("php", r"<\?php\b|\b(?:system|passthru|shell_exec|assert|eval)\s?\(\s?\$_(?:get|post|request|cookie)\b", ""),
    ("spreadsheet", r"(?:^|[\n,;\t\"])[=+@-](?:cmd|msexcel|dde)\s?\|", r"[=+@-](?:cmd|msexcel|dde)\s?\|"),
    ("spreadsheet", r"=\s?(?:hyperlink|webservice|importxml|importdata|importrange)\s?\(\s?\"https?:", ""),
    ("format_string", r"(?:%\d{0,3}\$?[xspn]){6,}+", r"%\d{0,3}\$?[xspn]%\d{0,3}\$?[xspn]%\d{0,3}\$?[xspn]%\d{0,3}\$?[xspn]"),
)  # fmt: skip


class CodeInjection(PatternGuard):
    """Flag code written to be run by whatever reads it next.

    A deployment that answers questions about programming should raise its threshold or do without:
    to it, code is an ordinary text.

    References:
        OWASP Top 10:2021, A03 Injection and A08 Software and Data Integrity Failures; MITRE CWE-22,
        CWE-78, CWE-79, CWE-89, CWE-90, CWE-94, CWE-113, CWE-502, CWE-611, CWE-918, CWE-1336.

    >>> [scan.score for scan in CodeInjection().scan([
    ...     "name: x' OR '1'='1", "Please select a card from the list where you live."])]
    [0.8, 0.0]
    """

    name = "code_injection"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.PASSAGE, Direction.ANSWER)
    action = Action.FLAG
    threshold = 0.5
    views = frozenset({View.URL})
    expressions = tuple(
        Expression(kind, regex, seed=seed, caseless=True) for kind, regex, seed in _SIGNS
    )

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; the score grows with every further kind of sign."""
        return weighed(text, hits, _WEIGHTS)
