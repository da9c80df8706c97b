"""River's detectors on one number an event, as they come and calibrated to a stated run length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from river import drift

from monitors.drift.dependence import BLOCK, dependence_of
from monitors.drift.detector import Alarm, Promise, promise
from monitors.drift.run_lengths import resampled
from monitors.monitor import Snapshot

Values = npt.NDArray[np.float64]

_STREAMS = 60
_STEPS_PER_RUN = 2
_HALVINGS = 10
_MOST_VALUES = 2000


class Simple(Protocol):
    """What river's detectors have in common."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last value made it see drift."""
        ...

    def update(self, x: Any) -> object:
        """Take in one value."""
        ...


@dataclass(frozen=True)
class Kind:
    """A detector of river's with its one setting that decides how easily it speaks.

    Attributes:
        make: Makes one from that setting, given as the logarithm to the base of ten.
        loud, quiet: The range in which the calibration looks.
        binary: Whether it reads only if a value is beyond nine tenths of the reference's.
    """

    make: Callable[[float], Simple]
    loud: float
    quiet: float
    binary: bool = False


def _adwin(at: float) -> Simple:
    made: Simple = drift.ADWIN(delta=10**at, clock=1)  # type: ignore[no-untyped-call]
    return made


def _hddm(at: float) -> Simple:
    made: Simple = drift.binary.HDDMW(drift_confidence=10**at)  # type: ignore[no-untyped-call]
    return made


UNTOUCHED: dict[str, Callable[[], Simple]] = {
    "ADWIN": drift.ADWIN,
    "KSWIN": lambda: drift.KSWIN(seed=0),
    "PageHinkley": drift.PageHinkley,
}
"""As they come; of KSWIN only the seed is set."""
KINDS = {
    "ADWIN": Kind(_adwin, loud=-0.01, quiet=-8),
    "PageHinkley": Kind(
        lambda at: drift.PageHinkley(threshold=10**at, delta=0.25, min_instances=1, mode="up"),
        loud=-1,
        quiet=2.5,
    ),
    "HDDM_W": Kind(_hddm, loud=-0.01, quiet=-8, binary=True),
}


def speaking(make: Callable[[], Simple]) -> Callable[[float], bool]:
    """Return what takes in a value and says whether a new detector speaks."""
    detector = make()

    def speaks(value: float) -> bool:
        detector.update(value)
        return detector.drift_detected

    return speaks


class RiverDrift:
    """One of river's detectors as a :class:`monitors.drift.detector.Detector`, calibrated likewise.

    Values are put in standard deviations of the reference. Streams drawn from that, each moved by
    the error of a mean, say how easily the detector may speak. It starts afresh after 2,000 values,
    and its snapshot is the values since it last did: river's state cannot be told otherwise.

    Args:
        kind: Which one.
        reference: Values that are usual, in the order of time.
        arl: Events between false alarms, on average.
        seed: Decides what is drawn.
    """

    def __init__(self, kind: Kind, reference: Values, arl: float, seed: int = 0) -> None:
        self._kind = kind
        self._mean, self._spread = float(reference.mean()), float(reference.std()) or 1.0
        usual = (reference - self._mean) / self._spread
        self._beyond = float(np.quantile(usual, 0.9))
        dependence = dependence_of(usual)
        block = BLOCK if dependence.present else 1
        rng = np.random.default_rng(seed)
        steps = int(_STEPS_PER_RUN * arl)
        moved = usual[resampled(rng, len(usual), (_STREAMS, len(usual)), block)].mean(axis=1)
        drawn = usual[resampled(rng, len(usual), (_STREAMS, steps), block)] - moved[:, None]
        self._setting = self._calibrated(drawn, arl)
        self._promise = promise(arl, len(reference), dependence, block)
        self._restart()

    @property
    def promise(self) -> Promise:
        """What was calibrated."""
        return self._promise

    def update(self, value: float) -> Alarm | None:
        """Take in one value; return an alarm if there is one."""
        self._values.append(value)
        self._detector.update(self._read((value - self._mean) / self._spread))
        spoke = self._detector.drift_detected
        if spoke or len(self._values) >= _MOST_VALUES:
            self._restart()
        return Alarm("river", 1.0) if spoke else None

    def snapshot(self) -> Snapshot:
        """Return the state as JSON."""
        return {"values": list(self._values)}

    def restore(self, snapshot: Snapshot) -> None:
        """Take on the state that :meth:`snapshot` returned."""
        values = snapshot["values"]
        if not isinstance(values, list):
            raise TypeError("not the snapshot of one of river's detectors")
        self._restart()
        for value in values:
            self.update(float(str(value)))

    def speaking(self) -> Callable[[float], bool]:
        """Start afresh and return what takes in a value and says whether there is an alarm."""
        self._restart()
        return lambda value: self.update(value) is not None

    def _restart(self) -> None:
        self._detector = self._kind.make(self._setting)
        self._values: list[float] = []

    def _read(self, value: float) -> float | bool:
        return value > self._beyond if self._kind.binary else value

    def _calibrated(self, drawn: Values, arl: float) -> float:
        """Return the setting at which the detector speaks every ``arl`` events of ``drawn``."""
        loud, quiet = self._kind.loud, self._kind.quiet
        for _ in range(_HALVINGS):
            middle = (loud + quiet) / 2
            if self._average(drawn, middle) < arl:
                loud = middle
            else:
                quiet = middle
        return quiet

    def _average(self, drawn: Values, setting: float) -> float:
        steps = alarms = 0
        for stream in drawn:
            detector = self._kind.make(setting)
            for value in stream.tolist():
                detector.update(self._read(value))
                steps += 1
                if detector.drift_detected:
                    alarms += 1
                    break
        return steps / max(0.5, alarms)
