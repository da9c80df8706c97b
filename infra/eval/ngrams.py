"""Character n-grams weighed by logistic regression, beside our own guard against injection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from infra.attacks.corpus import Example
from schemas.errors import ConfigError


def scorer(examples: Sequence[Example]) -> Callable[[Sequence[str]], npt.NDArray[np.float64]]:
    """Return what gives each text a chance of being an attack, fitted on ``examples``.

    Raises:
        ConfigError: If scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
    except ImportError as error:
        raise ConfigError("scikit-learn is not installed", key="--beside") from error
    pipeline = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
        LogisticRegression(C=10, class_weight="balanced", max_iter=500),
    )
    pipeline.fit([one.text for one in examples], [one.attack for one in examples])

    def score(texts: Sequence[str]) -> npt.NDArray[np.float64]:
        return np.asarray(pipeline.predict_proba(list(texts))[:, 1], np.float64)

    return score
