"""Attacks on what a model sees of a text, by the Adversarial Robustness Toolbox.

A :class:`Surface` is one text as its model sees it: numbers that may be moved, within bounds. What
such attacks reach is more than anybody can write down as a text; they say how much room a model
leaves around what it finds.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from infra.robustness.texts import Outcome
from schemas.errors import ConfigError

Floats = npt.NDArray[np.float32]
Method = Literal["fgsm", "pgd", "hopskipjump"]
Norm = Literal["inf", 2]

METHODS: tuple[Method, ...] = ("fgsm", "pgd", "hopskipjump")
_PGD_STEPS = 20
_HOPS = 8
_HOP_QUERIES = 200
_FIRST_HOP_QUERIES = 50


@dataclass(frozen=True)
class Surface:
    """One text as numbers that an attacker may move.

    Args:
        start: The numbers as they are, shape (numbers,).
        logits: Makes of numbers, shape (rows, numbers), logits of the guard's silence and of its
            speaking, shape (rows, 2).
        speaks: Whether the guard speaks at given numbers, shape (numbers,).
        silent_at: Numbers at which it does not, as an attacker may know of.
        norm: In which norm the bounds are meant.
    """

    start: Floats
    logits: torch.nn.Module
    speaks: Callable[[Floats], bool]
    silent_at: Floats
    norm: Norm


class Odds(torch.nn.Module):
    """What makes logits of log odds, the guard's silence being the measure.

    Args:
        log_odds: Makes log odds that the guard speaks, shape (rows,), of numbers, (rows, numbers).
    """

    def __init__(self, log_odds: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self._log_odds = log_odds

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return shape (rows, 2), see :class:`Surface`."""
        odds = self._log_odds(rows)
        return torch.stack([torch.zeros_like(odds), odds], dim=1)


def surface(
    start: Floats,
    log_odds: Callable[[torch.Tensor], torch.Tensor],
    silent_at: Floats,
    norm: Norm,
) -> Surface:
    """Return the surface of a guard that speaks where ``log_odds`` reach 0, see :class:`Odds`."""

    def speaks(point: Floats) -> bool:
        with torch.no_grad():
            return bool(log_odds(torch.from_numpy(point[None]))[0] >= 0)

    return Surface(start, Odds(log_odds), speaks, silent_at, norm)


def require_toolbox() -> None:
    """Refuse where the toolbox is missing.

    Raises:
        ConfigError: Saying what to install.
    """
    try:
        importlib.import_module("art.attacks.evasion")
    except ImportError as error:
        raise ConfigError(
            "attacks on features need the package adversarial-robustness-toolbox"
            " (pip install 'tidegate[dev]'); --texts-only goes without"
        ) from error


def attack(
    surfaces: Sequence[Surface], method: Method, epsilons: Sequence[float]
) -> dict[float, list[Outcome]]:
    """Return what came of moving each text's features by at most each of ``epsilons``.

    Args:
        surfaces: Texts at which the guard speaks.
        method: ``fgsm``: one step along the gradient's sign; ``pgd``: twenty steps; both see the
            model. ``hopskipjump`` sees only whether the guard speaks, and comes from where it does
            not as near to the text as it can.
        epsilons: The bounds, in the surface's norm.

    References:
        I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and harnessing adversarial examples", ICLR
        (2015); A. Madry et al., "Towards deep learning models resistant to adversarial attacks",
        ICLR (2018); J. Chen, M. I. Jordan, M. J. Wainwright, "HopSkipJumpAttack", IEEE S&P (2020);
        M.-I. Nicolae et al., "Adversarial Robustness Toolbox v1.0.0" (2018).
    """
    np.random.seed(0)  # the toolbox draws from it
    torch.manual_seed(0)
    found: dict[float, list[Outcome]] = {epsilon: [] for epsilon in epsilons}
    for one in surfaces:
        if method == "hopskipjump":
            distance, queries = _hop(one)
            for epsilon in epsilons:
                evaded = distance <= epsilon
                found[epsilon].append(Outcome(evaded, evaded, queries))
            continue
        for epsilon in epsilons:
            evaded = not one.speaks(_descend(one, method, epsilon))
            queries = 1 if method == "fgsm" else _PGD_STEPS
            found[epsilon].append(Outcome(evaded, evaded, queries))
    return found


def _descend(one: Surface, method: Method, epsilon: float) -> Floats:
    """Return the text's numbers, moved against what its model sees."""
    evasion, classification = _toolbox()
    model = classification.PyTorchClassifier(
        model=one.logits,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=one.start.shape,
        nb_classes=2,
        device_type="cpu",
    )
    bounds = {"norm": np.inf if one.norm == "inf" else 2, "eps": epsilon}
    if method == "fgsm":
        made = evasion.FastGradientMethod(model, **bounds)
    else:
        made = evasion.ProjectedGradientDescent(
            model, **bounds, eps_step=epsilon / 5, max_iter=_PGD_STEPS, verbose=False
        )
    moved: Floats = made.generate(one.start[None], y=np.array([[0.0, 1.0]], np.float32))[0]
    return moved


def _hop(one: Surface) -> tuple[float, int]:
    """Return how near to the text the guard was found silent, and how often it was asked."""
    queries = 0

    def speaks(rows: Floats) -> Floats:
        nonlocal queries
        queries += len(rows)
        return np.eye(2, dtype=np.float32)[[int(one.speaks(row)) for row in rows]]

    evasion, classification = _toolbox()
    ends = np.concatenate([one.start, one.silent_at])
    model = classification.BlackBoxClassifier(
        speaks,
        input_shape=one.start.shape,
        nb_classes=2,
        clip_values=(float(ends.min()), float(ends.max())),
    )
    norm = np.inf if one.norm == "inf" else 2
    made = evasion.HopSkipJump(
        model,
        norm=norm,
        max_iter=_HOPS,
        max_eval=_HOP_QUERIES,
        init_eval=_FIRST_HOP_QUERIES,
        verbose=False,
    )
    moved: Floats = made.generate(one.start[None], x_adv_init=one.silent_at[None])[0]
    if one.speaks(moved):
        return float("inf"), queries
    return float(np.linalg.norm(moved - one.start, norm)), queries


def _toolbox() -> tuple[Any, Any]:
    return (
        importlib.import_module("art.attacks.evasion"),
        importlib.import_module("art.estimators.classification"),
    )
