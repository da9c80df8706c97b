"""Evaluations drawn as SVG."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from infra.eval.picture import draw

SVG = "{http://www.w3.org/2000/svg}"


def test_scores_that_rank_perfectly_touch_the_corner(tmp_path: Path) -> None:
    """The curve of scores that never err goes through full recall at no false positive."""
    positive = np.arange(100) >= 50
    draw(tmp_path / "p.svg", "a < b", np.linspace(0, 1, 100), positive, {"one": (3, 4)})
    root = ElementTree.parse(tmp_path / "p.svg").getroot()
    points = root.find(f"{SVG}polyline").attrib["points"].split()  # type: ignore[union-attr]
    box = root.findall(f"{SVG}rect")[1].attrib
    corner = f"{float(box['x']):.1f},{float(box['y']):.1f}"
    assert corner in points
    assert "a < b" in [text.text for text in root.iter(f"{SVG}text")]
    assert len(root.findall(f"{SVG}circle")) == 10


def test_a_bar_is_as_long_as_its_rate(tmp_path: Path) -> None:
    """Half of them is half a bar, and its interval lies around its end."""
    scores, positive = np.array([0.2, 0.8]), np.array([False, True])
    draw(tmp_path / "p.svg", "t", scores, positive, {"all": (8, 8), "half": (4, 8), "none": (0, 0)})
    bars = ElementTree.parse(tmp_path / "p.svg").getroot().findall(f"{SVG}rect[@class='b']")
    whole, half = (float(bar.attrib["width"]) for bar in bars)
    assert half * 2 == whole
