"""What a scan comes to under a policy: one verdict, whatever happened."""

from __future__ import annotations

from monitors.duties import Duty
from monitors.guard import Scan
from monitors.spans import bounded
from schemas.verdicts import Action, Outcome, Span, Verdict

TIME_BUDGET = "time_budget"
"""The reason of a text that a guard did not read because its time was up."""
NOT_SAMPLED = "not_sampled"
"""The reason of a text that a guard was not to read: it reads a sample, or what is in doubt."""
NO_CONTEXT = "no_context"
"""The reason of an answer of which it is not known what it was given to."""
NO_PASSAGES = "no_passages"
"""The reason of an answer that a guard holds against passages, where there are none."""

_NOT_TO_BE_READ = (NOT_SAMPLED, NO_PASSAGES)

_OUTCOMES = {action: Outcome(action.value) for action in Action}
_PASS = Outcome.PASS
_FIELDS = frozenset(Verdict.model_fields)
_set = object.__setattr__


def passed(duty: Duty, chars: int, latency_ms: float) -> Verdict:
    """Return the verdict of a guard that found nothing at all in a text of ``chars`` characters.

    It is what nearly every guard says of nearly every text, so it is made without validation.
    """
    fields = duty.silence.copy()
    fields["scanned_chars"] = fields["total_chars"] = chars
    fields["latency_ms"] = latency_ms
    verdict = Verdict.__new__(Verdict)
    _set(verdict, "__dict__", fields)
    _set(verdict, "__pydantic_fields_set__", _FIELDS)
    _set(verdict, "__pydantic_extra__", None)
    _set(verdict, "__pydantic_private__", None)
    return verdict


def judged(duty: Duty, text: str, scan: Scan, latency_s: float) -> Verdict:
    """Return the verdict that ``scan`` of ``text`` comes to."""
    speaks = scan.score >= duty.threshold
    return Verdict(
        guard=duty.guard.name,
        guard_version=duty.guard.version,
        outcome=_OUTCOMES[duty.action] if speaks else _PASS,
        score=scan.score,
        threshold=duty.threshold,
        spans=_spoken_of(duty, text, scan) if speaks else (),
        scanned_chars=scan.scanned_chars,
        total_chars=len(text),
        latency_ms=max(0.0, latency_s * 1000),
    )


def unread(duty: Duty, text: str, reason: str, latency_s: float = 0.0) -> Verdict:
    """Return the verdict on a text that was not read, with what the policy does about it.

    One that was not to be read passes whatever the policy says.
    """
    closed = duty.fail == "closed" and reason not in _NOT_TO_BE_READ
    return Verdict(
        guard=duty.guard.name,
        guard_version=duty.guard.version,
        outcome=Outcome.NOT_SCANNED,
        score=0.0,
        threshold=duty.threshold,
        scanned_chars=0,
        total_chars=len(text),
        latency_ms=max(0.0, latency_s * 1000),
        reason=reason,
        failed="closed" if closed else "open",
    )


def _spoken_of(duty: Duty, text: str, scan: Scan) -> tuple[Span, ...]:
    label = duty.guard.name.upper()
    spans = bounded(scan.spans, label)
    if duty.action is Action.MASK and not spans and text:
        # What cannot be placed cannot be left standing: the whole text is masked.
        return (Span(start=0, end=len(text), label=label),)
    return spans
