"""What is measured of guards adds up, or is refused."""

from __future__ import annotations

import pytest

from schemas.codec import decode, encode
from schemas.errors import PoisonError
from schemas.evaluations import GuardAttacked
from tests.infra.events import attacked


@pytest.mark.parametrize("field", ["found", "found_unattacked"])
def test_no_more_is_found_than_there_is(field: str) -> None:
    """Such a record would have monitors reckon with a recall above 1."""
    event = attacked()
    wrong = event.model_copy(update={field: event.samples + 1})
    assert decode(GuardAttacked, encode(event)) == event
    with pytest.raises(PoisonError, match="never more"):
        decode(GuardAttacked, encode(wrong))
