"""Compares two windows column by column, by evidently: a page to look at, and its figures."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference.offline import be_discreet
from infra.reports.windows import Answers
from schemas.errors import ConfigError


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep to themselves the warnings of libraries about each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


be_discreet(os.environ)
with _quietly():
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType
    from evidently.presets import DataDriftPreset
    from scipy.stats import chi2_contingency

_DISTANCES_FROM = 1_001
"""With so many answers in the reference evidently goes by distances, with fewer by p-values."""

_SAME_SHARES = StatTest(
    name="two-sample chi-square p_value",
    display_name="two-sample chi-square p_value",
    allowed_feature_types=[ColumnType.Categorical],
    default_threshold=0.05,
)
"""Whether categories have the same shares in both windows.

Evidently's own takes the reference's shares for exact and so calls every third column drifted that
did not change.
"""


def _same_shares(
    reference: pd.Series, current: pd.Series, _kind: str, threshold: float
) -> tuple[float, bool]:
    counts = pd.concat([reference.value_counts(), current.value_counts()], axis=1).fillna(0)
    p_value = float(chi2_contingency(counts.to_numpy().T).pvalue) if len(counts) > 1 else 1.0
    return p_value, p_value < threshold


register_stattest(_SAME_SHARES, _same_shares)


@dataclass(frozen=True)
class Column:
    """How one column of the current window stands to that of the reference.

    Attributes:
        drifted: Whether evidently calls it drifted.
        test: What it was judged by, which evidently chooses by the column's kind and size.
        value: The distance, or the p-value, as ``test`` says.
        limit: Where drift begins: above it for a distance, below it for a p-value.
    """

    drifted: bool
    test: str
    value: float
    limit: float


@dataclass(frozen=True)
class DriftReport:
    """What evidently says of two windows.

    Attributes:
        reference: The window that is compared with.
        current: The one that is compared.
        columns: How each compared column stands.
        left_out: Columns that could not be compared, and why.
        page: Evidently's own result, which draws itself.
    """

    reference: Answers
    current: Answers
    columns: Mapping[str, Column]
    left_out: Mapping[str, str]
    page: Any

    @property
    def drifted_share(self) -> float:
        """The share of compared columns that drifted."""
        return sum(column.drifted for column in self.columns.values()) / len(self.columns)

    def write(self, path: Path) -> None:
        """Write the page to ``path``: one HTML file that needs no network.

        Raises:
            ConfigError: If it cannot be written.
        """
        with _quietly():
            html = self.page.get_html_str(as_iframe=False)
        try:
            path.write_text(html)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", file=str(path)) from error

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {
            which: {
                "since": answers.window.since.isoformat(),
                "until": answers.window.until.isoformat(),
                "answers": answers.rows,
            }
            for which, answers in (("reference", self.reference), ("current", self.current))
        } | {
            "drifted_share": round(self.drifted_share, 4),
            "columns": {name: asdict(column) for name, column in self.columns.items()},
            "left_out": dict(self.left_out),
        }

    def lines(self) -> Iterator[str]:
        """Yield the figures as lines for a person, what drifted first."""
        for which, answers in (("reference", self.reference), ("current", self.current)):
            yield f"{which:<9}  {answers.window}, {answers.rows} answers"
        for name, column in sorted(self.columns.items(), key=lambda one: not one[1].drifted):
            word = "drifted" if column.drifted else "steady"
            yield f"{word:<9}  {name}: {column.test} {column.value:.3g}, limit {column.limit:g}"
        for name, reason in self.left_out.items():
            yield f"left out   {name}: {reason}"


def compare(reference: Answers, current: Answers) -> DriftReport:
    """Return how the columns of ``current`` differ from those of ``reference``.

    Evidently judges each column by itself: by p-values at 0.05 with up to 1,000 answers in the
    reference, beyond by distances at 0.1.
    """
    left_out = _left_out(reference, current)
    numbers = [name for name in reference.numbers if name not in left_out]
    categories = [
        name
        for name in dict.fromkeys((*reference.categories, *current.categories))
        if name not in left_out
    ]
    test = _SAME_SHARES if reference.rows < _DISTANCES_FROM else None
    kinds = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    with _quietly():
        preset = DataDriftPreset(
            cat_method=_SAME_SHARES if reference.rows < _DISTANCES_FROM else None
        )
        snapshot = Report([preset], include_tests=True).run(
            Dataset.from_pandas(_frame(current, numbers, categories), kinds),
            Dataset.from_pandas(_frame(reference, numbers, categories), kinds),
        )
        said = snapshot.dict()
    values = {
        one["config"]["column"]: float(one["value"])
        for one in said["metrics"]
        if "column" in one["config"]
    }
    columns = {}
    for test in said["tests"]:
        judged = test["metric_config"]["params"]
        if name := judged.get("column"):
            columns[name] = Column(
                drifted=test["status"].name == "FAIL",
                test=judged["method"],
                value=values[name],
                limit=float(judged["threshold"]),
            )
    return DriftReport(reference, current, columns, left_out, snapshot)


def _frame(answers: Answers, numbers: Sequence[str], categories: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series(answers.numbers[name], dtype="float64") for name in numbers}
        | {name: pd.Series(answers.categories[name], dtype="object") for name in categories}
    )


def _left_out(reference: Answers, current: Answers) -> dict[str, str]:
    """Return which columns one of the windows knows nothing of."""
    found = {}
    for answers, which in ((reference, "reference"), (current, "current")):
        for name, column in {**answers.numbers, **answers.categories}.items():
            if all(value is None for value in column):
                found[name] = f"no value in the {which} window"
    for name in reference.categories.keys() ^ current.categories.keys():
        which = "current" if name in reference.categories else "reference"
        found[name] = f"no value in the {which} window"
    return found
