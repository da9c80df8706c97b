"""What a budget of texts takes: a sample of conversations, no more than there is room for."""

from __future__ import annotations

from uuid import UUID, uuid5

from streams.rationing import HISTORY_MS, WINDOW_MS, Ration

Text = tuple[str, int, int]


def texts(per_window: int, windows: int, first: int = 0) -> list[Text]:
    """Return texts of as many conversations, spread evenly: key, offset and time."""
    gap_ms = WINDOW_MS / per_window
    return [
        (str(uuid5(UUID(int=0), str(offset))), offset, first * WINDOW_MS + int(offset * gap_ms))
        for offset in range(per_window * windows)
    ]


def decided(ration: Ration, stream: list[Text]) -> list[float | None]:
    """Return what becomes of each text."""
    return [ration.taken(*text) for text in stream]


def test_all_are_taken_while_there_is_room() -> None:
    """Below the budget only the share decides, and no other conversations than in a larger one."""
    stream = texts(200, 5)
    assert set(decided(Ration(1.0, 200), stream)) == {1.0}
    half, fifth = (decided(Ration(share, 200), stream) for share in (0.5, 0.2))
    assert 400 < sum(taken is not None for taken in half) < 600
    assert all(half[n] is not None for n, taken in enumerate(fifth) if taken is not None)


def test_too_many_texts_are_sampled_within_the_budget() -> None:
    """After the first window the share is what there is room for, spread over the window."""
    taken = decided(Ration(1.0, 100), texts(1000, 6))
    windows = [taken[start : start + 1000] for start in range(0, 6000, 1000)]
    assert all(sum(one is not None for one in window) <= 100 for window in windows)
    assert sum(one is not None for one in windows[0][100:]) == 0
    for window in windows[1:]:
        assert {one for one in window if one is not None} == {0.1}
        assert sum(one is not None for one in window) > 70
        assert sum(one is not None for one in window[:500]) < 70


def test_after_a_rush_the_share_is_whole_again() -> None:
    """The window before decides; silence in between counts as none."""
    ration = Ration(1.0, 100)
    decided(ration, texts(1000, 3))
    assert ration.taken("late", 10_000, 9 * WINDOW_MS) == 1.0


def test_what_went_before_is_needed_for_two_windows_only() -> None:
    """One that starts in the middle, shown the last stretch, decides like one that saw all."""
    stream = texts(700, 6)
    cut = 3300
    since_ms = stream[cut][2] - HISTORY_MS
    late = Ration(1.0, 100)
    decided(late, [text for text in stream[:cut] if text[2] >= since_ms])
    assert decided(late, stream[cut:]) == decided(Ration(1.0, 100), stream)[cut:]


def test_the_same_record_is_decided_once() -> None:
    """A batch that is gone through again takes what it took."""
    ration, stream = Ration(1.0, 5), texts(50, 1)
    first = decided(ration, stream)
    assert decided(ration, stream) == first
    assert sum(taken is not None for taken in first) == 5
