"""How each kind of value is learned from: what is stored of it, and what detects its drift."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from pydantic import JsonValue

from monitors.drift.categorical import CategoryDrift, CategoryReference, fit_categories
from monitors.drift.detector import Levelled, Promise
from monitors.drift.embedding import EmbeddingDrift, EmbeddingReference, Space
from monitors.drift.fitting import fit_embeddings
from monitors.drift.run_lengths import Floats
from monitors.drift.scalar import ScalarDrift, ScalarReference, fit_scalar
from monitors.monitor import Snapshot
from monitors.state import dump, load
from monitors.vectors import unpacked

Items = Sequence[Any]


class Learner(Protocol):
    """Turns a stretch of ordinary values into what detects that they no longer are.

    Values are gathered as JSON, so that they can be stored before there are enough.

    Attributes:
        page: Values that are stored together.
    """

    page: int

    def value(self, item: Any) -> Any:
        """Return what the detector is shown of an item that was gathered."""
        ...

    def learn(self, items: Items, arl: float) -> Snapshot:
        """Return the reference that ``items`` make, in the order of time, as JSON."""
        ...

    def detector(self, reference: Snapshot) -> Levelled[Any]:
        """Return a new detector on a reference that :meth:`learn` returned."""
        ...


class Numbers:
    """Learns from numbers."""

    page = 50

    def value(self, item: Any) -> float:
        """Return the number."""
        return float(item)

    def learn(self, items: Items, arl: float) -> Snapshot:
        """Return the reference of numbers."""
        return dump(fit_scalar([float(item) for item in items], arl))

    def detector(self, reference: Snapshot) -> ScalarDrift:
        """Return a detector on it."""
        return ScalarDrift(load(ScalarReference, reference))


class Categories:
    """Learns from categories."""

    page = 50

    def value(self, item: Any) -> str:
        """Return the category."""
        return str(item)

    def learn(self, items: Items, arl: float) -> Snapshot:
        """Return the reference of categories."""
        return dump(fit_categories([str(item) for item in items], arl))

    def detector(self, reference: Snapshot) -> CategoryDrift:
        """Return a detector on it."""
        return CategoryDrift(load(CategoryReference, reference))


class Vectors:
    """Learns from vectors as they travel, each with its topic, which may be empty."""

    page = 4

    def value(self, item: Any) -> Floats:
        """Return the vector, shape (width,)."""
        return unpacked(item[0])

    def learn(self, items: Items, arl: float) -> Snapshot:
        """Return the reference of vectors, about 2 kB for each at a width of 384."""
        rows = np.stack([unpacked(vector) for vector, _ in items])
        topics = [topic or "unknown" for _, topic in items] if any(t for _, t in items) else ()
        reference = fit_embeddings(rows, arl, topics=topics)
        space = reference.space
        arrays: dict[str, JsonValue] = {
            name: _packed(array)
            for name, array in (
                ("axes", space.axes),
                ("rows", space.rows),
                ("centre", space.centre),
                ("scale", space.scale),
                ("direction", space.direction),
                ("places", reference.places),
            )
        }
        return {
            **arrays,
            "distance": list(space.distance),
            "excess": space.excess,
            "limits": list(reference.limits),
            "topics": list(reference.topics),
            "promise": dump(reference.promise),
        }

    def detector(self, reference: Snapshot) -> EmbeddingDrift:
        """Return a detector on it."""
        kept: dict[str, Any] = reference
        space = Space(
            axes=_unpacked(kept["axes"]),
            rows=_unpacked(kept["rows"]),
            centre=_unpacked(kept["centre"]),
            scale=_unpacked(kept["scale"]),
            direction=_unpacked(kept["direction"]),
            distance=(kept["distance"][0], kept["distance"][1]),
            excess=kept["excess"],
        )
        return EmbeddingDrift(
            EmbeddingReference(
                space=space,
                limits=(kept["limits"][0], kept["limits"][1]),
                topics=tuple(kept["topics"]),
                places=_unpacked(kept["places"]),
                promise=load(Promise, kept["promise"]),
            )
        )


def _packed(array: Floats) -> JsonValue:
    shape: list[JsonValue] = list(array.shape)
    return [shape, b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()]


def _unpacked(packed: Any) -> Floats:
    shape, text = packed
    return np.frombuffer(b64decode(text), "<f4").astype(np.float32).reshape(shape)
