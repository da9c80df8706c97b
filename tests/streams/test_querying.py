"""What the rows of a rule's query mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.alert_rules import AlertRule, Query
from schemas.errors import PoisonError
from schemas.watching import WHOLE_SYSTEM
from streams.querying import Row, findings_of

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RULE = AlertRule(
    name="many", query=Query(sql="SELECT 1 AS value WHERE now() > {at:DateTime64(3)}"), above=0.5
)


def test_a_row_is_a_finding() -> None:
    """Whose it is, its segment and its value, in words as well."""
    rows: list[Row] = [{"value": 2, "deployment": "bank", "pool": "small"}, {"value": "0.5"}]
    bank, whole = findings_of(RULE, rows, AT)
    assert (bank.deployment, bank.segment, bank.value) == ("bank", {"pool": "small"}, 2.0)
    assert (whole.deployment, whole.segment, whole.value) == (WHOLE_SYSTEM, {}, 0.5)
    assert bank.cause == "the query of rule many gives 2; it speaks above 0.5"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "-inf", None, "many", 10**400])
def test_a_value_that_is_no_finite_number_is_refused(value: object) -> None:
    """An average of nothing is one; the rule fails then, and nothing else does."""
    with pytest.raises(PoisonError, match="the query of rule many gives"):
        findings_of(RULE, [{"value": value}], AT)
