"""Learners, and how their scores become chances."""

import numpy
import scipy.sparse

from engagement.labelling.suggestions.learners import learn_bayes
from engagement.labelling.suggestions.models import _calibrate


def test_bayes_gives_a_long_text_no_higher_scores_than_a_short_one():
    # The first three pieces are those of a code each; the others are in all texts alike.
    rows = scipy.sparse.csr_matrix(
        numpy.tile(numpy.hstack([numpy.eye(3), numpy.ones((3, 40))]), (10, 1)), dtype=numpy.float32
    )
    codes = numpy.tile(numpy.eye(3, dtype=bool), (10, 1))
    scores = learn_bayes(rows, codes, numpy.zeros(43, bool))
    short, long = numpy.zeros((1, 43)), numpy.ones((1, 43))
    short[0, 0] = 1
    long[0, 1:3] = 0
    assert scores(short).argmax() == scores(long).argmax() == 0
    assert numpy.allclose(scores(short), scores(long), atol=1e-4)
    assert numpy.allclose(scores(long).sum(), 0, atol=1e-4)


def test_of_two_codes_with_few_examples_and_like_scores_the_frequent_one_is_the_likelier():
    random = numpy.random.default_rng(3)
    texts, frequencies = 300, (0.4, 0.2, 0.1, 0.05, 0.02, 0.01)
    given = numpy.column_stack([numpy.arange(texts) < share * texts for share in frequencies])
    scores = random.normal(0, 0.5, given.shape) + 2 * given
    slopes, constants = _calibrate(scores, given)
    # The rarest have three and six examples, which alone tell no line.
    assert list(constants) == sorted(constants, reverse=True)
    assert (slopes > 1).all()
    chances = 1 / (1 + numpy.exp(-(scores * slopes + constants)))
    assert numpy.allclose(chances.mean(axis=0), frequencies, atol=0.03)
