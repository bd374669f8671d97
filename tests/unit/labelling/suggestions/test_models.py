"""Learners, and how their scores become chances."""

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import scipy.sparse
from tests.suggestion_examples import make_messages, make_scheme

from engagement.labelling.suggestions import models
from engagement.labelling.suggestions.examples import read_labelled_texts
from engagement.labelling.suggestions.features import Matrix
from engagement.labelling.suggestions.learners import LinearScores, learn_bayes, learn_margins
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


def test_of_many_examples_the_model_is_the_mean_of_those_that_judged_them(monkeypatch: pytest.MonkeyPatch):
    learnt: list[int] = []

    def learn_and_count(rows: Matrix, codes: numpy.ndarray, is_word: numpy.ndarray) -> LinearScores:
        learnt.append(rows.shape[0])
        return learn_bayes(rows, codes, is_word)

    monkeypatch.setattr(models, "MANY", 100)
    monkeypatch.setattr(models, "choose_learners", lambda examples, is_multiple: (learn_and_count,))
    labelled = read_labelled_texts(make_messages(240, 0), make_scheme())
    found = models.learn(labelled)
    # Three folds, and no fit of all examples.
    assert len(learnt) == 3
    assert sum(learnt) == 2 * 240
    chances = found.model.chances([example.text for example in found.examples])
    named = [found.model.codes[at] for at in chances.argmax(axis=1)]
    assert sum(name in example.codes for name, example in zip(named, found.examples, strict=True)) > 220


@pytest.mark.parametrize("code_of_none", [False, True])
def test_margins_of_all_codes_at_once_find_each_texts_code(code_of_none: bool):
    rows = scipy.sparse.csr_matrix(numpy.tile(numpy.eye(4), (20, 1)), dtype=numpy.float32)
    codes = numpy.tile(numpy.eye(4, dtype=bool), (20, 1))
    if code_of_none:
        codes = numpy.insert(codes, 1, False, axis=1)
    together = learn_margins(rows, codes, numpy.zeros(4, bool))
    # A row with two codes makes each code be fitted by itself.
    apart = learn_margins(
        scipy.sparse.vstack([rows, rows[:1]], "csr"), numpy.vstack([codes, ~codes[:1]]), numpy.zeros(4, bool)
    )
    for scores in (together, apart):
        assert (scores(rows[:4]).argmax(axis=1) == codes[:4].argmax(axis=1)).all()
    assert not code_of_none or (together(rows)[:, 1] == -10).all()


def test_margins_of_two_codes_are_a_row_each():
    rows = scipy.sparse.csr_matrix(numpy.tile(numpy.eye(2), (20, 1)), dtype=numpy.float32)
    scores = learn_margins(rows, numpy.tile(numpy.eye(2, dtype=bool), (20, 1)), numpy.zeros(2, bool))
    assert scores(rows[:2]).argmax(axis=1).tolist() == [0, 1]


LEARN_AND_DIGEST = """
import hashlib, random, sys
from tests.suggestion_examples import make_messages, make_scheme
from engagement.labelling.suggestions import learners, models
from engagement.labelling.suggestions.examples import read_labelled_texts
learners.MANY = models.MANY = 200
messages = make_messages(600, 0)
random.Random(int(sys.argv[1])).shuffle(messages)
found = models.learn(read_labelled_texts(messages, make_scheme()))
arrays = (found.model.scores.weights, found.model.vocabulary.hashes, found.model.slopes, found.model.constants, found.chances)
print(*(hashlib.sha256(one.tobytes()).hexdigest() for one in arrays))
"""


def test_many_examples_teach_the_same_in_any_order_and_with_any_hash_seed_and_threads():
    root = Path(__file__).parents[4]
    found = set()
    for seed, threads, order in (("0", "1", "1"), ("7", "2", "2"), ("11", "1", "3")):
        environment = {
            **os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join((str(root / "src"), str(root))),
        }  # fmt: skip
        command = [sys.executable, "-c", LEARN_AND_DIGEST, order]
        found.add(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
    assert len(found) == 1 and len(found.pop().split()) == 5
