"""Learners: each gives a score for each code and text.

Regression finds codes by the weights of words and letters; NB-SVM first weighs letters by how much more often a code has them. Of many
examples, a support vector machine and complement naive Bayes learn in less time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from engagement.labelling.suggestions.features import Matrix

Scores = numpy.ndarray
"""One row a text, one column a code."""

MANY = 5_000
"""From more examples than this, only quick learners learn."""

_SEED = 20
_BAYES_SMOOTHING = 0.3
_TOLERANCE = 1e-3
_SURE = 10.0


@dataclass(frozen=True)
class LinearScores:
    """A learnt scorer: weights (a row a code, a column a piece) and a constant for each code."""

    weights: numpy.ndarray
    constants: numpy.ndarray

    @classmethod
    def nothing(cls, codes: int, pieces: int) -> "LinearScores":
        """Give what scores 0 everywhere, to add others to."""
        return cls(numpy.zeros((codes, pieces), numpy.float32), numpy.zeros(codes, numpy.float32))

    def add(self, other: "LinearScores", weight: float) -> None:
        """Add another's weighted scores to its own."""
        self.weights[:] += numpy.float32(weight) * other.weights
        self.constants[:] += numpy.float32(weight) * other.constants

    def __call__(self, rows: Matrix) -> Scores:
        """Score texts."""
        return numpy.asarray(rows @ self.weights.T + self.constants, numpy.float64)


Learner = Callable[[Matrix, numpy.ndarray, numpy.ndarray], LinearScores]
"""Learns from rows and what codes they have (booleans, a column a code); knows which columns are words."""


def learn_regression(rows: Matrix, codes: numpy.ndarray, is_word: numpy.ndarray) -> LinearScores:
    """Fit a logistic regression a code."""

    def fit(wanted: numpy.ndarray) -> tuple[numpy.ndarray, float]:
        return _fit_logistic(rows, wanted, 30.0)

    return _for_each_code(fit, rows.shape[1], codes)


def learn_nb_svm(rows: Matrix, codes: numpy.ndarray, is_word: numpy.ndarray) -> LinearScores:
    """Fit a regression a code on letters, weighed by log-count ratios."""
    letters = rows.copy()
    letters.data = numpy.where(is_word[letters.indices], 0, letters.data).astype(numpy.float32)
    letters.eliminate_zeros()
    total = numpy.asarray(letters.sum(axis=0)).ravel()

    def fit(wanted: numpy.ndarray) -> tuple[numpy.ndarray, float]:
        inside = numpy.asarray(letters[wanted].sum(axis=0)).ravel() + 1
        outside = total - inside + 2
        ratio = (numpy.log(inside / inside.sum()) - numpy.log(outside / outside.sum())).astype(numpy.float32)
        ratio[is_word] = 0
        weighed = letters.copy()
        weighed.data = letters.data * ratio[letters.indices]
        weights, constant = _fit_logistic(weighed, wanted, 20.0)
        return weights * ratio, constant

    return _for_each_code(fit, rows.shape[1], codes)


def learn_bayes(rows: Matrix, codes: numpy.ndarray, is_word: numpy.ndarray) -> LinearScores:
    """Compare each code's pieces with those of all others (complement naive Bayes).

    A piece that is rare in all codes alike says nothing: only what sets codes apart is kept. Long texts, of many pieces, would seem to
    have every code otherwise.
    """
    within = codes.T.astype(numpy.float64) @ rows
    within = numpy.asarray(within)
    outside = within.sum(axis=0) - within + _BAYES_SMOOTHING
    weights = -numpy.log(outside / outside.sum(axis=1, keepdims=True))
    weights -= weights.mean(axis=0)
    return LinearScores(weights.astype(numpy.float32), numpy.zeros(codes.shape[1], numpy.float32))


def learn_margins(rows: Matrix, codes: numpy.ndarray, is_word: numpy.ndarray) -> LinearScores:
    """Fit a support vector machine a code: the quickest for many examples."""

    # It works with this type: each code's fit would make it again.
    exact = rows.astype(numpy.float64)

    def fit(wanted: numpy.ndarray) -> LinearSVC:
        return LinearSVC(C=0.5, tol=_TOLERANCE * 50, max_iter=200, random_state=_SEED, dual=True).fit(exact, wanted)

    def fit_one(wanted: numpy.ndarray) -> tuple[numpy.ndarray, float]:
        model = fit(wanted)
        return model.coef_[0], float(model.intercept_[0])

    present = numpy.flatnonzero(codes.any(axis=0))
    if len(present) < 3 or (codes.sum(axis=1) != 1).any():
        return _for_each_code(fit_one, rows.shape[1], codes)
    # Where each text has one code, a call fits all.
    model = fit(codes.argmax(axis=1))
    found = LinearScores.nothing(codes.shape[1], rows.shape[1])
    found.constants[:] = -_SURE
    found.weights[present], found.constants[present] = model.coef_, model.intercept_
    return found


def _fit_logistic(rows: Matrix, wanted: numpy.ndarray, cost: float) -> tuple[numpy.ndarray, float]:
    model = LogisticRegression(
        C=cost,
        # Rare codes count as much as others.
        class_weight="balanced",
        solver="liblinear",
        dual=True,
        tol=_TOLERANCE * 10,
        max_iter=200,
        random_state=_SEED,
    )
    model.fit(rows, wanted)
    return model.coef_[0], float(model.intercept_[0])


def _for_each_code(
    fit: Callable[[numpy.ndarray], tuple[numpy.ndarray, float]], width: int, codes: numpy.ndarray
) -> LinearScores:
    found = LinearScores.nothing(codes.shape[1], width)
    for number in range(codes.shape[1]):
        wanted = codes[:, number]
        if wanted.all() or not wanted.any():
            # Nothing to tell apart: a code that no example, or every one, has.
            found.constants[number] = _SURE if wanted.any() else -_SURE
            continue
        found.weights[number], found.constants[number] = fit(wanted)
    return found


def choose_learners(examples: int, is_multiple: bool) -> Sequence[Learner]:
    """Choose what can be learnt in time from so many examples.

    Bayes ranks codes well that few texts have, but says nothing more where a text has one code.
    """
    if examples > MANY:
        return (learn_margins, learn_bayes)
    return (learn_regression, learn_nb_svm, learn_bayes) if is_multiple else (learn_regression, learn_nb_svm)
