"""The fixtures of real servers are for the tests that say they use them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("fixture", ["kafka", "clickhouse"])
def test_an_unmarked_test_gets_no_real_server(fixture: str, request: pytest.FixtureRequest) -> None:
    """This test has neither marker, so it is refused both."""
    with pytest.raises(pytest.fail.Exception, match=rf"@pytest\.mark\.{fixture}"):
        request.getfixturevalue(fixture)
