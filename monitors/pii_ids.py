"""Numbers by which states know people: tax, insurance and identity numbers with check digits.

References:
    ISO/IEC 7064 (check character systems); EU, "TIN algorithms" (European Commission, DG TAXUD);
    J. Verhoeff, "Error detecting decimal codes" (1969), for India's Aadhaar; US SSA, "Randomization
    of Social Security numbers" (2011); UK HMRC manual NIM39110; NHS Data Dictionary, "NHS number".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitors.checksums import passes_luhn
from monitors.matching import Expression
from monitors.pii_forms import Form, checked

# What a character at an odd place of a codice fiscale counts.
_ODD = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)


def weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    """Return the sum of digits times weights modulo ``modulus``.

    >>> weighted("111222333", (9, 8, 7, 6, 5, 4, 3, 2, -1), 11)
    0
    """
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False)) % modulus


def is_dni(value: str) -> bool:
    """Return whether ``value`` is a Spanish DNI or NIE: its letter is the number modulo 23.

    >>> is_dni("12345678Z"), is_dni("X1234567L"), is_dni("12345678A")
    (True, True, False)
    """
    number = value[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == value[-1]


def is_codice_fiscale(value: str) -> bool:
    """Return whether ``value`` is an Italian codice fiscale (decree of 23 December 1976).

    >>> is_codice_fiscale("RSSMRA85T10A562S"), is_codice_fiscale("RSSMRA85T10A562T")
    (True, False)
    """
    places = [int(char) if char.isdigit() else ord(char) - 65 for char in value[:15]]
    total = sum(n if i % 2 else _ODD[n] for i, n in enumerate(places))
    return chr(65 + total % 26) == value[15]


def is_nir(value: str) -> bool:
    """Return whether ``value`` is a French social security number: key 97 less the rest.

    >>> is_nir("255081416802538"), is_nir("255081416802539")
    (True, False)
    """
    number = value[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(value[13:])


def is_steuer_id(value: str) -> bool:
    """Return whether ``value`` is a German tax identity number (ISO/IEC 7064, MOD 11,10).

    >>> is_steuer_id("86095742719"), is_steuer_id("86095742718")
    (True, False)
    """
    rest = 10
    for char in value[:10]:
        rest = (int(char) + rest) % 10 or 10
        rest = rest * 2 % 11
    return (11 - rest) % 10 == int(value[10]) and value[0] != "0"


def is_bsn(value: str) -> bool:
    """Return whether ``value`` is a Dutch citizen service number (the test by eleven)."""
    return weighted(value, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


def is_pesel(value: str) -> bool:
    """Return whether ``value`` is a Polish PESEL.

    >>> is_pesel("44051401359"), is_pesel("44051401358")
    (True, False)
    """
    return weighted(value, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10) == 0


def is_belgian(value: str) -> bool:
    """Return whether ``value`` is a Belgian national number, of either century.

    >>> is_belgian("85073003328"), is_belgian("85073003329")
    (True, False)
    """
    return 97 - int(value[9:]) in (int(value[:9]) % 97, int("2" + value[:9]) % 97)


def is_hetu(value: str) -> bool:
    """Return whether ``value``, without its sign of the century, is a Finnish identity code.

    >>> is_hetu("131052308T"), is_hetu("131052308U")
    (True, False)
    """
    number = value[:6] + value[-4:-1]
    return number.isdigit() and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number) % 31] == value[-1]


def is_fodselsnummer(value: str) -> bool:
    """Return whether ``value`` is a Norwegian birth number: two checks modulo 11."""
    one = weighted(value, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11)
    return one == 0 and weighted(value, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11) == 0


def is_cpf(value: str) -> bool:
    """Return whether ``value`` is a Brazilian CPF.

    >>> is_cpf("11144477735"), is_cpf("11144477734")
    (True, False)
    """
    for length in (9, 10):
        check = weighted(value, range(length + 1, 1, -1), 11)
        check = sum(int(value[i]) * (length + 1 - i) for i in range(length)) * 10 % 11 % 10
        if check != int(value[length]):
            return False
    return len(set(value)) > 1


def is_nhs(value: str) -> bool:
    """Return whether ``value`` is a British NHS number.

    >>> is_nhs("9434765919"), is_nhs("9434765918")
    (True, False)
    """
    return weighted(value, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1), 11) == 0


def is_ahv(value: str) -> bool:
    """Return whether ``value`` is a Swiss AHV number, an EAN-13 that begins with 756."""
    return weighted(value, (1, 3) * 6 + (1,), 10) == 0


def is_aadhaar(value: str) -> bool:
    """Return whether ``value`` is an Indian Aadhaar number (Verhoeff's check).

    >>> is_aadhaar("234123412346"), is_aadhaar("234123412345")
    (True, False)
    """
    check = 0
    for place, char in enumerate(reversed(value)):
        check = _dihedral(check, _turned(int(char), place % 8))
    return check == 0


def _dihedral(one: int, other: int) -> int:
    """Return the product in the group of symmetries of the pentagon."""
    if one < 5:
        return (one + other) % 5 if other < 5 else (one + other - 5) % 5 + 5
    return (one - other) % 5 + 5 if other < 5 else (one - other) % 5


def _turned(digit: int, times: int) -> int:
    for _ in range(times):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit


def is_rodne_cislo(value: str) -> bool:
    """Return whether ``value`` is a Czech or Slovak birth number of ten digits."""
    return int(value) % 11 == 0 or (int(value[:9]) % 11 == 10 and value[9] == "0")


def is_chinese(value: str) -> bool:
    """Return whether ``value`` is a Chinese identity number (ISO/IEC 7064, MOD 11-2).

    >>> is_chinese("11010519491231002X"), is_chinese("110105194912310021")
    (True, False)
    """
    total = sum(int(char) * pow(2, 17 - place, 11) for place, char in enumerate(value[:17]))
    return "10X98765432"[total % 11] == value[17]


def _form(name: str, regex: str, valid: Callable[[str], bool], seed: str, after: str = "") -> Form:
    """Return the form of one number; one that needs a word before it lists them in ``after``."""
    if after:
        word = rf"\b(?:{after})\b[^\d\n]{{0,24}}"
        regex, seed = rf"{word}(?P<value>{regex})", rf"\b(?:{after})\b[^\d\n]{{0,24}}{seed}"
    expression = Expression(
        f"ID_{name}", regex=rf"(?<![\w.+-]){regex}(?!\w|[.-]\d)", seed=seed, caseless=True
    )
    return Form("NATIONAL_ID", 0.9 if after else 0.85, expression, checked(valid))


def _any(value: str) -> bool:
    return True


_TIN = r"tax (?:id|number)|tin|steuer-?id|steuernummer|idnr"

ID_FORMS = (
    _form("ES", r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]", is_dni, r"\d{7}-?[A-Z]"),
    _form(
        "IT",
        r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]",
        is_codice_fiscale,
        r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]",
    ),
    _form(
        "FR",
        r"[12][ ]?\d\d[ ]?(?:0[1-9]|1[0-2]|[2-9]\d)[ ]?(?:\d\d|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d\d",
        is_nir,
        r"[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d",
    ),
    _form(
        "GB",
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        _any,
        r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]",
    ),
    _form("NHS", r"\d{3}[ -]?\d{3}[ -]?\d{4}", is_nhs, r"\d{3}[ -]?\d{3}", after=r"nhs"),
    _form("DE", r"\d\d ?\d{3} ?\d{3} ?\d{3}", is_steuer_id, r"\d\d ?\d{3} ?\d{3}", after=_TIN),
    _form("NL", r"\d{4}[. ]?\d\d[. ]?\d{3}", is_bsn, r"\d{4}[. ]?\d\d", after=r"bsn|sofi"),
    _form("PL", r"\d{11}", is_pesel, r"\d{11}", after=r"pesel"),
    _form("BE", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", is_belgian, r"\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    _form(
        "FI",
        r"(?:[0-2]\d|3[01])(?:0\d|1[0-2])\d\d[-+A]\d{3}[A-Y\d]",
        is_hetu,
        r"\d{6}[-+A]\d{3}[A-Y\d]",
    ),
    _form(
        "SE",
        r"(?:(?:19|20)?\d\d)(?:0\d|1[0-2])(?:[0-2]\d|3[01])[-+]\d{4}",
        lambda value: passes_luhn(value[-10:]),
        r"\d{6}[-+]\d{4}",
    ),
    _form("DK", r"(?:[0-2]\d|3[01])(?:0\d|1[0-2])\d\d-?\d{4}", _any, r"\d{6}", after=r"cpr"),
    _form(
        "NO",
        r"\d{6} ?\d{5}",
        is_fodselsnummer,
        r"\d{6} ?\d{5}",
        after=r"f.{1,2}dselsnummer|personnummer",
    ),
    _form("BR", r"\d{3}\.\d{3}\.\d{3}-\d\d", is_cpf, r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    _form(
        "CA",
        r"[1-79]\d\d[ -]?\d{3}[ -]?\d{3}",
        passes_luhn,
        r"\d{3}[ -]?\d{3}",
        after=r"sin|social insurance(?: number)?",
    ),
    _form("CH", r"756\.\d{4}\.\d{4}\.\d\d", is_ahv, r"756\.\d{4}\.\d{4}\.\d\d"),
    _form("IN", r"[2-9]\d{3} \d{4} \d{4}", is_aadhaar, r"\d{4} \d{4} \d{4}"),
    _form(
        "CZ",
        r"\d\d(?:[05][1-9]|[16][0-2])(?:[0-2]\d|3[01])/\d{4}",
        is_rodne_cislo,
        r"\d{6}/\d{4}",
    ),
    _form(
        "CN",
        r"[1-8]\d{5}(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dX]",
        is_chinese,
        r"\d{6}(?:19|20)\d{9}[\dX]",
    ),
    _form(
        "US_PASSPORT",
        r"(?:[A-Z]\d{8}|\d{9})",
        _any,
        r"[A-Z\d]\d{8}",
        after=r"passport(?: (?:no|number|nr))?",
    ),
)
