"""Languages told apart, and texts in one that is not served."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitors.language import Language
from monitors.languages import language_of

FOLDER = os.environ.get("TIDEGATE_PUBLIC_DATA")

SAID = {
    "en": "How do I change the limit of my card, and what will it cost me?",
    "de": "Wie ändere ich das Limit meiner Karte, und was kostet mich das?",
    "fr": "Comment puis-je changer la limite de ma carte, et combien cela va-t-il me coûter ?",
    "es": "¿Cómo puedo cambiar el límite de mi tarjeta y cuánto me va a costar?",
    "it": "Come posso cambiare il limite della mia carta e quanto mi costa?",
    "pt": "Como posso mudar o limite do meu cartão e quanto é que isso me vai custar?",
    "nl": "Hoe kan ik de limiet van mijn kaart wijzigen en wat gaat dat kosten?",
    "sv": "Hur kan jag ändra gränsen för mitt kort och vad kommer det att kosta?",
    "da": "Hvordan kan jeg ændre grænsen på mit kort, og hvad vil det koste mig?",
    "pl": "Jak mogę zmienić limit mojej karty i ile to będzie mnie kosztować?",
    "tr": "Kartımın limitini nasıl değiştirebilirim ve bu bana ne kadar mal olur?",  # noqa: RUF001
    "ro": "Cum pot să schimb limita cardului meu și cât mă va costa?",
    "el": "Πώς αλλάζω το όριο της κάρτας μου;",
    "ru": "Как мне изменить лимит по моей карте?",
    "uk": "Як мені змінити ліміт моєї картки?",
    "he": "איך אני משנה את המגבלה של הכרטיס שלי?",
    "ar": "كيف أغير حد بطاقتي؟",
    "hi": "मैं अपने कार्ड की सीमा कैसे बदलूँ?",
    "th": "ฉันจะเปลี่ยนวงเงินบัตรได้อย่างไร",
    "zh": "我怎么更改我的卡的限额?",
    "ja": "カードの限度額を変更するにはどうすればいいですか",
    "ko": "카드 한도를 어떻게 변경하나요",
}


@pytest.mark.parametrize(("language", "text"), SAID.items())
def test_every_language_is_told(language: str, text: str) -> None:
    """One question in each of them."""
    assert language_of(text).language == language


@pytest.mark.parametrize(
    "text", ["", "OK", "4711 0815 EUR", "IBAN DE89 3704 0044", "Visa Mastercard"]
)
def test_too_little_to_tell(text: str) -> None:
    """Codes, names and single words are in no language."""
    assert language_of(text).language == ""


def test_what_is_not_served_is_flagged() -> None:
    """Of all the languages the two allowed pass; without options every one does."""
    guard = Language(Language.Options(allowed=("en", "de")))
    spoken = {
        language
        for language, scan in zip(SAID, guard.scan(list(SAID.values())), strict=True)
        if scan.score >= guard.threshold
    }
    assert spoken >= set(SAID) - {"en", "de", "da", "sv"}
    assert not spoken & {"en", "de"}
    assert {scan.score for scan in Language().scan(list(SAID.values()))} == {0.0}


def test_only_the_beginning_is_read() -> None:
    """A long text's language is that of its beginning, and the scan says how much that was."""
    (scan,) = Language(Language.Options(allowed=("en",))).scan([SAID["en"] * 200])
    assert scan.scanned_chars == 4000


def test_an_unknown_language_is_refused() -> None:
    """A policy that allows what cannot be told is told so."""
    with pytest.raises(ValidationError, match="no language 'xx' is known"):
        Language.Options(allowed=("xx",))


@pytest.mark.skipif(FOLDER is None, reason="TIDEGATE_PUBLIC_DATA is not set")
@pytest.mark.parametrize("name", ["banking77.jsonl", "clinc150.jsonl"])
def test_english_questions_pass(name: str) -> None:
    """Of thousands of real questions in English at most one in a thousand seems to be none."""
    with (Path(FOLDER or "") / name).open() as lines:
        texts = [json.loads(line)["text"] for line in lines]
    guard = Language(Language.Options(allowed=("en",)))
    wrong = sum(scan.score >= guard.threshold for scan in guard.scan(texts))
    assert wrong <= len(texts) / 1000
