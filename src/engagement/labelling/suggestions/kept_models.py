"""State/suggestions/: models of the last run, learnt again only if their examples changed.

`<dataset>-<scheme>.npz` holds hashes of pieces of texts, weights and chances, but no text and no message id. The folder is safe to
delete: a file that is missing, damaged or of another version costs time, and changes nothing else.
"""

import hashlib
import importlib.metadata
import json
import zipfile
import zlib
from pathlib import Path

import numpy

from engagement.foundation.files import make_directory, open_bytes_for_writing
from engagement.foundation.own_code import describe_own_code
from engagement.labelling.suggestions.examples import LabelledTexts
from engagement.labelling.suggestions.features import Vocabulary
from engagement.labelling.suggestions.learners import LinearScores
from engagement.labelling.suggestions.models import Classifier, Learnt, learn


def learn_if_changed(path: Path, labelled: LabelledTexts) -> Learnt:
    """Return what was learnt from these examples before, or learn it now and keep it."""
    digest = digest_of(labelled)
    learnt = _read(path, digest, labelled)
    if learnt is None:
        learnt = learn(labelled)
        _write(path, digest, learnt)
    return learnt


def digest_of(labelled: LabelledTexts) -> str:
    """Digest all that decides a model: examples, codes, and the program with its libraries."""
    codes = [(code.code_id, str(code.control_code)) for code in labelled.scheme.codes]
    maker = [describe_own_code(), *((name, importlib.metadata.version(name)) for name in ("scipy", "scikit-learn"))]
    document = [maker, labelled.is_multiple, codes, labelled.examples]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def _write(path: Path, digest: str, learnt: Learnt) -> None:
    make_directory(path.parent)
    model = learnt.model
    with open_bytes_for_writing(path) as file:
        numpy.savez(
            file,
            digest=numpy.array(digest),
            codes=numpy.array(model.codes, str),
            hashes=model.vocabulary.hashes,
            piece_weights=model.vocabulary.weights,
            is_word=model.vocabulary.is_word,
            weights=model.scores.weights,
            constants=model.scores.constants,
            slopes=model.slopes,
            offsets=model.constants,
            chances=learnt.chances,
            given=learnt.given,
        )


def _read(path: Path, digest: str, labelled: LabelledTexts) -> Learnt | None:
    if not path.exists():
        return None
    try:
        with numpy.load(path, allow_pickle=False) as file:
            if str(file["digest"]) != digest:
                return None
            model = Classifier(
                tuple(map(str, file["codes"])),
                Vocabulary(file["hashes"], file["piece_weights"], file["is_word"]),
                LinearScores(file["weights"], file["constants"]),
                file["slopes"],
                file["offsets"],
                labelled.is_multiple,
            )
            # The newest examples alone may have been learnt from.
            examples = labelled.examples[len(labelled.examples) - len(file["given"]) :]
            return Learnt(model, examples, file["chances"], file["given"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        # Whatever the problem is, learning again puts it right.
        return None
