"""Models of a scheme: learners mixed by what each got right of examples that it had not seen."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import scipy.optimize

from engagement.labelling.suggestions.examples import Example, LabelledTexts
from engagement.labelling.suggestions.features import Vocabulary, normalise
from engagement.labelling.suggestions.learners import MANY, LinearScores, Scores, choose_learners

FEWEST_OF_A_CODE = 2
"""So many examples a code must have to be learnt, in a scheme of several codes a text."""

_MOST_EXAMPLES = 20_000
# At most so many pieces, with letters in runs of these sizes.
_PIECES_OF_MANY = (60_000, range(3, 6))
_BATCH = 4_000
_NEAR_COMMON = 5.0
_EXAMPLES_OF_HALF_TRUST = 200


@dataclass(frozen=True)
class Classifier:
    """What was learnt. `codes` name the columns; its learners' weighted scores are added up.

    Slopes and constants, one a code, make chances of scores. In a scheme of one code a text the chances of all codes add up to 1.
    """

    codes: tuple[str, ...]
    vocabulary: Vocabulary
    scores: LinearScores
    slopes: numpy.ndarray
    constants: numpy.ndarray
    is_multiple: bool

    def chances(self, texts: Sequence[str]) -> numpy.ndarray:
        """Compute the chance of each code for each text, rounded as it is told."""
        found, read = [numpy.zeros((0, len(self.codes)))], self.vocabulary.reader()
        for start in range(0, len(texts), _BATCH):
            rows = read([normalise(text) for text in texts[start : start + _BATCH]])
            found.append(self.chances_of_scores(self.scores(rows)))
        return numpy.asarray(numpy.round(numpy.concatenate(found), 4))

    def chances_of_scores(self, scores: Scores) -> numpy.ndarray:
        """Turn scores into chances."""
        lines = scores * self.slopes + self.constants
        return _sigmoid(lines) if self.is_multiple else _softmax(lines)


@dataclass(frozen=True)
class Learnt:
    """A model, the chances that it gives examples it did not learn from, and their codes (`given`)."""

    model: Classifier
    examples: tuple[Example, ...]
    chances: numpy.ndarray
    given: numpy.ndarray


def learn(labelled: LabelledTexts) -> Learnt:
    """Learn from all examples, and judge each by a model that has not seen it.

    There must be codes to learn. The same examples give the same model, bit by bit, in any order and on any number of processors.
    """
    examples, codes = _choose_examples(labelled), choose_codes(labelled)
    given = numpy.array([[code in example.codes for code in codes] for example in examples], bool)
    if not labelled.is_multiple:
        # Of several codes in a scheme of one, the first counts.
        given &= numpy.cumsum(given, axis=1) == 1
    texts = [normalise(example.text) for example in examples]
    is_many = len(examples) > MANY
    vocabulary, rows = Vocabulary.learn(texts, *(_PIECES_OF_MANY if is_many else ()))
    learners = choose_learners(len(examples), labelled.is_multiple)
    folds = numpy.array([_fold_of(example.message_id, 3 if is_many else 5) for example in examples])
    unseen = [numpy.zeros(given.shape) for _ in learners]
    means = [LinearScores.nothing(len(codes), rows.shape[1]) for _ in learners]
    present = numpy.unique(folds)
    for fold in present:
        inside = folds != fold
        for number, learner in enumerate(learners):
            scores = learner(rows[inside], given[inside], vocabulary.is_word)
            unseen[number][~inside] = scores(rows[~inside])
            means[number].add(scores, 1 / len(present))
    weights = _choose_weights(unseen, given, labelled.is_multiple)
    mixed = numpy.tensordot(weights, numpy.stack(unseen), 1)
    # The mean of what each fold's learners found is as good as what all examples together teach, if these are many, and is here already.
    parts = means if is_many else [learner(rows, given, vocabulary.is_word) for learner in learners]
    together = _mix(weights, parts)
    slopes, constants = _calibrate(mixed, given) if labelled.is_multiple else _allow_for_frequencies(mixed, given)
    model = Classifier(codes, vocabulary, together, slopes, constants, labelled.is_multiple)
    return Learnt(model, examples, numpy.round(model.chances_of_scores(mixed), 4), given)


def _mix(weights: numpy.ndarray, parts: Sequence[LinearScores]) -> LinearScores:
    mixed = LinearScores.nothing(*parts[0].weights.shape)
    for weight, part in zip(weights, parts, strict=True):
        mixed.add(part, weight)
    return mixed


def choose_codes(labelled: LabelledTexts) -> tuple[str, ...]:
    """Choose the codes to learn: of a scheme of several codes a text, those with enough examples."""
    counts: dict[str, int] = {}
    for example in _choose_examples(labelled):
        for code in example.codes:
            counts[code] = counts.get(code, 0) + 1
    fewest = FEWEST_OF_A_CODE if labelled.is_multiple else 1
    return tuple(code.code_id for code in labelled.scheme.codes if counts.get(code.code_id, 0) >= fewest)


def _choose_examples(labelled: LabelledTexts) -> tuple[Example, ...]:
    return labelled.examples[-_MOST_EXAMPLES:] if len(labelled.examples) > _MOST_EXAMPLES else labelled.examples


def _fold_of(message_id: str, folds: int) -> int:
    digest = hashlib.sha256(f"fold {message_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % folds


def _choose_weights(unseen: Sequence[Scores], given: numpy.ndarray, is_multiple: bool) -> numpy.ndarray:
    """Choose the learners' weights: between those that fit unseen examples best, and equal parts of each.

    The fewer examples there are, the less they say about which learner is the better one.
    """
    best = _fit_weights(unseen, given, is_multiple)
    alone = numpy.concatenate([_fit_weights([scores], given, is_multiple) for scores in unseen])
    trust = len(given) / (len(given) + _EXAMPLES_OF_HALF_TRUST)
    between = trust * best + (1 - trust) * alone / len(unseen)
    mixed = numpy.tensordot(between, numpy.stack(unseen), 1)
    return numpy.asarray(between * _fit_weights([mixed], given, is_multiple))


def _fit_weights(unseen: Sequence[Scores], given: numpy.ndarray, is_multiple: bool) -> numpy.ndarray:
    """Find the weights that make unseen examples' codes the likeliest."""
    stacked = numpy.stack(unseen)
    columns, at = given.argmax(axis=1), numpy.arange(len(given))

    def loss(weights: numpy.ndarray) -> tuple[float, numpy.ndarray]:
        mixed = numpy.tensordot(weights, stacked, 1)
        if is_multiple:
            value = (numpy.logaddexp(0, mixed) - given * mixed).sum()
            off = _sigmoid(mixed) - given
        else:
            off = _softmax(mixed)
            value = -numpy.log(numpy.clip(off[at, columns], 1e-12, 1)).sum()
            off[at, columns] -= 1
        return float(value), numpy.einsum("mij,ij->m", stacked, off)

    start = numpy.full(len(unseen), 0.5)
    found = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(1e-3, 20)] * len(unseen))
    return numpy.asarray(found.x, numpy.float64)


def _log_frequencies(given: numpy.ndarray) -> numpy.ndarray:
    return numpy.asarray(numpy.log((given.sum(axis=0) + 0.5) / (len(given) + 0.5 * given.shape[1])))


def _allow_for_frequencies(mixed: Scores, given: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Fit how far codes' frequencies count beside scores, which take all for equally frequent."""
    frequencies = _log_frequencies(given)
    slope, share = _fit_weights([mixed, numpy.broadcast_to(frequencies, mixed.shape)], given, is_multiple=False)
    return numpy.full(given.shape[1], slope), share * frequencies


def _calibrate(mixed: Scores, given: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Fit a slope and a constant a code, so that chances are as often right as they say (Platt).

    What few examples say of a code is held near the line of all codes. Scores make too much or too little of how frequent codes are:
    that line allows for it.
    """
    frequencies = _log_frequencies(given)
    slope, share, constant = _fit_common_line(mixed, frequencies, given)
    commons = [numpy.array([slope, share * frequency + constant]) for frequency in frequencies]
    lines = [_fit_line(mixed[:, at], given[:, at], common, _NEAR_COMMON) for at, common in enumerate(commons)]
    return numpy.array([line[0] for line in lines]), numpy.array([line[1] for line in lines])


def _fit_common_line(mixed: Scores, frequencies: numpy.ndarray, given: numpy.ndarray) -> numpy.ndarray:
    """Fit how far scores and frequencies count for any code, and a constant."""

    def loss(line: numpy.ndarray) -> tuple[float, numpy.ndarray]:
        at = line[0] * mixed + line[1] * frequencies + line[2]
        off = _sigmoid(at) - given
        value = float((numpy.logaddexp(0, at) - given * at).sum())
        return value, numpy.array([(off * mixed).sum(), (off.sum(axis=0) * frequencies).sum(), off.sum()])

    bounds = [(0, 20), (-20, 20), (-30, 30)]
    found = scipy.optimize.minimize(loss, numpy.array([1.0, 0.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return numpy.asarray(found.x, numpy.float64)


def _fit_line(scores: numpy.ndarray, right: numpy.ndarray, near: numpy.ndarray, strength: float) -> numpy.ndarray:
    hits = int(right.sum())
    # Never entirely sure of what few examples say.
    wanted = numpy.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))

    def loss(line: numpy.ndarray) -> tuple[float, numpy.ndarray]:
        at, away = line[0] * scores + line[1], line - near
        off = _sigmoid(at) - wanted
        value = float((numpy.logaddexp(0, at) - wanted * at).sum()) + strength * float(away @ away)
        return value, numpy.array([off @ scores, off.sum()]) + 2 * strength * away

    found = scipy.optimize.minimize(loss, near, jac=True, method="L-BFGS-B", bounds=[(0, 20), (-30, 30)])
    return numpy.asarray(found.x, numpy.float64)


def _softmax(scores: Scores) -> numpy.ndarray:
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True)) if scores.size else scores.copy()
    return numpy.asarray(powers / powers.sum(axis=1, keepdims=True))


def _sigmoid(scores: Scores) -> numpy.ndarray:
    return numpy.asarray(1 / (1 + numpy.exp(-numpy.clip(scores, -60, 60))))
