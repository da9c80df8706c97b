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

METHODS: tuple[Method, ...] = ("fgsm", "pgd", "hopskipjump")
_PGD_STEPS = 20
_HOPS = 4
_HOP_QUERIES = 200


@dataclass(frozen=True)
class Surface:
    """One text as numbers that an attacker may move.

    Args:
        start: The numbers as they are, shape (numbers,).
        logits: Makes of numbers, shape (rows, numbers), the log odds that the guard is silent and
            that it speaks, shape (rows, 2).
        speaks: Whether the guard speaks at given numbers, shape (numbers,).
        norm: In which norm the bounds are meant.
    """

    start: Floats
    logits: torch.nn.Module
    speaks: Callable[[Floats], bool]
    norm: Literal["inf", 2]


class Shares(torch.nn.Module):
    """What makes log odds of the shares, 1 unless moved, in which a text's features count.

    Args:
        log_odds: Makes the log odds that the guard speaks of shares, shape (numbers,).
    """

    def __init__(self, log_odds: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self._log_odds = log_odds

    def forward(self, shares: torch.Tensor) -> torch.Tensor:
        """Return shape (rows, 2), see :class:`Surface`."""
        odds = torch.stack([self._log_odds(row) for row in shares])
        return torch.stack([torch.zeros_like(odds), odds], dim=1)


def by_shares(numbers: int, log_odds: Callable[[torch.Tensor], torch.Tensor]) -> Surface:
    """Return the surface of a text whose ``numbers`` features may each count for more or less.

    No feature can be made up that the text does not have.
    """
    logits = Shares(log_odds)

    def speaks(shares: Floats) -> bool:
        with torch.no_grad():
            return bool(log_odds(torch.from_numpy(shares)) >= 0)

    return Surface(np.ones(numbers, np.float32), logits, speaks, "inf")


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


def attack(surfaces: Sequence[Surface], method: Method, epsilon: float) -> list[Outcome]:
    """Return what came of moving each text's features by at most ``epsilon``.

    Args:
        surfaces: Texts at which the guard speaks.
        method: ``fgsm``: one step along the gradient's sign; ``pgd``: twenty steps; both see the
            model. ``hopskipjump`` sees only whether the guard speaks.
        epsilon: The bound, in the surface's norm.

    References:
        I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and harnessing adversarial examples", ICLR
        (2015); A. Madry et al., "Towards deep learning models resistant to adversarial attacks",
        ICLR (2018); J. Chen, M. I. Jordan, M. J. Wainwright, "HopSkipJumpAttack", IEEE S&P (2020);
        M.-I. Nicolae et al., "Adversarial Robustness Toolbox v1.0.0" (2018).
    """
    np.random.seed(0)  # the toolbox draws from it
    torch.manual_seed(0)
    return [_attacked(surface, method, epsilon) for surface in surfaces]


def _attacked(surface: Surface, method: Method, epsilon: float) -> Outcome:
    queries = 0

    def speaks(rows: Floats) -> Floats:
        nonlocal queries
        queries += len(rows)
        said = [surface.speaks(_bounded(row, surface, epsilon)) for row in rows]
        return np.eye(2, dtype=np.float32)[np.array(said, np.intp)]

    if method == "hopskipjump":
        moved = _hop(surface, speaks, epsilon)
    else:
        moved = _descend(surface, method, epsilon)
        queries += 1 if method == "fgsm" else _PGD_STEPS
    evaded = not surface.speaks(_bounded(moved[0], surface, epsilon))
    return Outcome(evaded, evaded, queries)


def _descend(surface: Surface, method: Method, epsilon: float) -> Floats:
    evasion, classification = _toolbox()
    model = classification.PyTorchClassifier(
        model=surface.logits,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=surface.start.shape,
        nb_classes=2,
        device_type="cpu",
    )
    norm = np.inf if surface.norm == "inf" else 2
    if method == "fgsm":
        made = evasion.FastGradientMethod(model, norm=norm, eps=epsilon)
    else:
        made = evasion.ProjectedGradientDescent(
            model,
            norm=norm,
            eps=epsilon,
            eps_step=epsilon / 5,
            max_iter=_PGD_STEPS,
            verbose=False,
        )
    moved: Floats = made.generate(surface.start[None], y=np.array([[0.0, 1.0]], np.float32))
    return moved


def _hop(surface: Surface, speaks: Callable[[Floats], Floats], epsilon: float) -> Floats:
    """Return where the guard is silent, or the start; it looks at the weakest features first."""
    evasion, classification = _toolbox()
    model = classification.BlackBoxClassifier(
        speaks,
        input_shape=surface.start.shape,
        nb_classes=2,
        clip_values=(surface.start.min() - epsilon, surface.start.max() + epsilon),
    )
    made = evasion.HopSkipJump(
        model,
        norm=np.inf if surface.norm == "inf" else 2,
        max_iter=_HOPS,
        max_eval=_HOP_QUERIES,
        init_eval=50,
        init_size=50,
        verbose=False,
    )
    weakest = (surface.start - epsilon)[None]
    moved: Floats = made.generate(surface.start[None], x_adv_init=weakest)
    return moved


def _bounded(row: Floats, surface: Surface, epsilon: float) -> Floats:
    """Return the point within the bounds that is nearest to ``row``."""
    step = row - surface.start
    if surface.norm == "inf":
        return np.asarray(surface.start + np.clip(step, -epsilon, epsilon), np.float32)
    length = float(np.linalg.norm(step))
    return np.asarray(surface.start + step * min(1.0, epsilon / max(length, 1e-12)), np.float32)


def _toolbox() -> tuple[Any, Any]:
    return (
        importlib.import_module("art.attacks.evasion"),
        importlib.import_module("art.estimators.classification"),
    )
