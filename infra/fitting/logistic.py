"""Logistic regression with more columns than rows, exactly and always the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STEPS = 30


def fit_logistic(rows: Floats, labels: Floats, strength: float, *, balance: bool = True) -> Floats:
    """Return one weight per column, by Newton's method on the rows' products with each other.

    Args:
        rows: Shape (rows, columns); a column of ones for a bias is the caller's business.
        labels: 0 or 1 per row.
        strength: The larger, the less the weights are held back.
        balance: Whether both kinds count the same however many there are of each.

    References:
        T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning" (2009),
        sections 4.4.1 and 12.3.3.
    """
    share = float(labels.mean())
    cost = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share)) if balance else np.ones(len(rows))
    products = rows @ rows.T
    shares = np.zeros(len(rows))
    for _ in range(_STEPS):
        odds = np.clip(products @ shares, -30, 30)
        chances = 1 / (1 + np.exp(-odds))
        curve = np.maximum(chances * (1 - chances), 1e-6)
        wanted = odds + (labels - chances) / curve
        system = products + np.diag(1 / (strength * cost * curve))
        new = np.linalg.solve(system, wanted)
        moved = float(np.abs(new - shares).max())
        shares = new
        if moved < 1e-8:
            break
    return rows.T @ shares
