"""Values of an old project's Python are read from its syntax, and nothing of it is run."""

from pathlib import Path

import pytest

from engagement.desk.project_import.evaluation.evaluator import Evaluator, UnreadableFileError, evaluate_module
from engagement.desk.project_import.evaluation.python_values import Call, Foreign, Function, Member, Unknown


def names_of(folder: Path, given: dict[str, object] | None = None, **sources: str):
    for name, source in sources.items():
        path = folder / name.replace("__in__", "/")
        path = path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return evaluate_module(folder, folder / "plans.py", given or {})


def value_of(folder: Path, source: str, **given: object):
    return names_of(folder, given, plans=source)["A"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("A = 'x' + 'y'", "xy"),
        ("e = 3\nA = f's01e{e:02d}_raw'", "s01e03_raw"),
        ("A = 's01e%02d_%s' % (3, 'raw')", "s01e03_raw"),
        ("A = 's{:02d}e{}'.format(1, 2)", "s01e2"),
        ("A = [f'e{i}' for i in range(1, 4) if i != 2]", ["e1", "e3"]),
        ("A = []\nfor i in range(3):\n    A.append(i)", [0, 1, 2]),
        ("A = []\nfor i, name in enumerate(['a', 'b'], 1):\n    A += [f'{name}{i}']", ["a1", "b2"]),
        ("A = [1]\nB = A\nB += [2]", [1, 2]),  # the list itself grows, as in Python
        ("A = [1]\nB = A + [2]", [1]),
        ("A = []\ni = 0\nwhile i < 2:\n    A.append(i)\n    i += 1", [0, 1]),
        ("A = 1 if pipeline_name == 'x' else 2", 1),
        ("A = 1 if pipeline_name in {'y', 'z'} or not pipeline_name else 2", 2),
        ("def f(a, b=2, *c, d=4, **e):\n    return [a, b, c, d, e]\nA = f(1, 5, 6, d=7, g=8)", [1, 5, (6,), 7, {"g": 8}]),
        ("def f(n):\n    if n == 'x':\n        return 1\n    elif n == 'y':\n        return 2\n    assert False, n\nA = f('y')", 2),
        ("class C:\n    a = 'x'\n    b = a + 'y'\nA = C.b", "xy"),
        ("class B:\n    a = 'x'\nclass C(B):\n    pass\nA = C.a", "x"),
        ("class C:\n    @classmethod\n    def f(cls, a):\n        return cls.b + a\n    b = 'x'\nA = C.f('y')", "xy"),
        ("class C:\n    @staticmethod\n    def f(a):\n        return a\nA = C.f('y')", "y"),
        ("A = (lambda a: a + 'y')('x')", "xy"),
        ("from functools import partial\nA = partial(lambda a, b: a + b, 'x')('y')", "xy"),
        ("A = {'a': [1, 2]}['a'][-1]", 2),
        ("A = [1, 2, 3][1:]", [2, 3]),
        ("a, (b, c) = 1, (2, 3)\nA = [a, b, c]", [1, 2, 3]),
        ("A = [*[1], *(2,)]", [1, 2]),
        ("import copy\nA = copy.deepcopy([1])", [1]),
        ("A = None or 'x.csv'", "x.csv"),
        ("try:\n    import nothing\nexcept ImportError:\n    A = 1\nelse:\n    A = 2", 2),
        ("if (A := 3) > 2:\n    A += 1", 4),
        ("A = sum([[1], [2]], [])", [1, 2]),
        ("A = [n for part in [[1], [2, 3]] for n in part]", [1, 2, 3]),
        ("A = 'Rqa s01'.title()", "Rqa S01"),
        ("import os\nA = os.path.join('a', 'b.json')", "a/b.json"),
    ],
)  # fmt: skip
def test_what_plans_use_is_worked_out(tmp_path, source, expected):
    assert value_of(tmp_path, source, pipeline_name="x") == expected


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("import os\nA = os.environ['X'] + 'y'", 2, "no such item"),
        ("A = missing", 1, "defined nowhere"),
        ("import m\nif m.f():\n    A = 1\nelse:\n    A = 2", 2, "m.f()"),
        ("def f():\n    raise ValueError('no')\nA = f()", 2, "is reached"),
        ("def f(n):\n    assert n == 'y', n\n    return 1\nA = f('x')", 2, "does not hold"),
        ("def f():\n    yield 1\nA = f()", 1, "generator"),
        ("def f(a):\n    return a\nA = f()", 3, "lacks a"),
        ("def f(a):\n    return a\nA = f(1, b=2)", 3, "more arguments"),
        ("A = 'x' * 10 ** 9", 1, "not read"),
        ("A = 'x' * 999999999", 1, "longer than"),
        ("A = '%999999999d' % 1", 1, "not read"),
        ("A = f'{1:>999999999}'", 1, "can't be read"),
        ("A = list(range(10000000))", 1, "longer than"),
    ],
)
def test_what_only_a_run_knows_is_unknown_with_its_line(tmp_path, source, line, words):
    value = value_of(tmp_path, source)
    assert isinstance(value, Unknown)
    assert (value.file, value.line) == ("plans.py", line)
    assert words in value.what


@pytest.mark.parametrize(
    "source",
    [
        "import m\nA = ['a']\nfor x in m.things:\n    A.append(x)",
        "import m\nA = ['a']\nif m.is_on:\n    A += ['b']",
        "import m\nA = ['a']\nif m.is_on:\n    A.extend(['b'])",
        "import m\nA = ['a']\nA += m.more",
        "import m\nA = ['a']\nA.extend(m.more)",
        "import m\nclass C:\n    A = ['a']\nif m.is_on():\n    C.A.append(1)\nA = C.A",
    ],
)
def test_a_list_that_grows_by_what_is_not_known_says_so(tmp_path, source):
    value = value_of(tmp_path, source)
    assert isinstance(value if isinstance(value, Unknown) else value[-1], Unknown)


def test_calls_of_libraries_are_kept_with_their_arguments(tmp_path):
    call = value_of(tmp_path, "from lib.data import Plan as P\nA = P('x', b=P(c=1))")
    assert (call.name, call.full_name, call.line) == ("Plan", "lib.data.Plan", 2)
    assert call.arguments == ("x",)
    assert [inner.name for inner in call.inside()] == ["Plan", "Plan"]


def test_a_class_of_the_project_gives_names_and_defaults_to_its_arguments(tmp_path):
    source = "class Plan:\n    def __init__(self, a, b, c=False, *, d='d'):\n        pass\nA = Plan('x', b='y')"
    call = value_of(tmp_path, source)
    assert call.keywords == {"a": "x", "b": "y"}
    assert (call.get("c"), call.get("d"), call.get("e")) == (False, "d", None)


def test_methods_of_what_is_kept_are_kept(tmp_path):
    source = (
        "import json\ndef opened(name):\n    with open(f'schemes/{name}') as file:\n"
        "        document = json.load(file)\n    return Scheme.of(document)\nfrom lib import Scheme\n"
        "A = opened('a.json').find('x')"
    )
    call = value_of(tmp_path, source)
    assert (call.name, call.arguments) == ("find", ("x",))
    opened = [inner for inner in call.inside() if inner.name == "open"]
    assert [inner.arguments for inner in opened] == [("schemes/a.json",)]


def test_an_attribute_that_only_a_run_knows_can_be_given(tmp_path):
    source = "from src.lib import load\nconfiguration = load()\nA = 1 if configuration.pipeline_name == 'x' else 2"
    assert value_of(tmp_path, source, pipeline_name="x") == 1
    assert isinstance(value_of(tmp_path, source), Unknown)


def test_imports_between_the_projects_own_files(tmp_path):
    names = names_of(
        tmp_path,
        plans="from src.lib import B, schemes\nfrom src.lib.schemes import *\nimport src.lib.schemes as s\n"
        "from nowhere.at.all import *\nA = [B, schemes.X, X, s.X]\nC = unheard",
        src__in__lib__in____init__="from .schemes import X as B",
        src__in__lib__in__schemes="X = 'x'\n_HIDDEN = 1",
    )
    assert names["A"] == ["x", "x", "x", "x"]
    assert names["C"] == Foreign("nowhere.at.all.unheard")
    assert "_HIDDEN" not in names


def test_imports_in_a_circle_end(tmp_path):
    names = names_of(
        tmp_path,
        plans="from src import B\nA = B",
        src__in____init__="from .one import B",
        src__in__one="from src import two\nfrom src import B as C\nB = two.X",
        src__in__two="from src import one\nX = 'x'",
    )
    assert names["A"] == "x"


def test_a_module_for_each_level_of_dots(tmp_path):
    names = names_of(
        tmp_path,
        plans="from a.b.c import A",
        a__in__x="X = 1",
        a__in__b__in__y="Y = 2",
        a__in__b__in__c="from ..x import X\nfrom .y import Y\nfrom . import y\nA = [X, Y, y.Y]",
    )
    assert names["A"] == [1, 2, 2]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("A = 1\nprint 'x'", "plans.py:2: not Python 3"),
        ("while True:\n    pass", "without end"),
        ("def f():\n    return f()\nA = f()", "without end"),
        ("A = []\nfor i in range(90000):\n    for j in range(90000):\n        A.append(1)", "without end"),
        ("A = " + "(" * 5000 + ")" * 5000, "plans.py:1"),
        ("A = " + "-" * 4000 + "1", "nested"),
        ("A = '\0'", "plans.py:1"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(tmp_path, source, words):
    with pytest.raises(UnreadableFileError) as caught:
        names_of(tmp_path, plans=source)
    assert words in str(caught.value)
    assert caught.value.exit_status == 10


def test_an_imported_file_of_python_2_matters_only_where_it_is_used(tmp_path):
    names = names_of(tmp_path, plans="from old import f\nimport old\nA = 1\nB = f(2)\nC = old.x", old="print 'x'")
    assert names["A"] == 1
    assert [(names[name].file, names[name].line) for name in "BC"] == [("old.py", 1)] * 2


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "other.py").write_text("X = 'secret'")
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "linked.py").symlink_to(tmp_path / "other.py")
    names = names_of(folder, plans="from linked import X\nA = X")
    assert isinstance(names["A"], Unknown)
    assert "link" in names["A"].what


def test_nothing_is_run_and_nothing_is_written(tmp_path):
    marker = tmp_path / "ran"
    source = f"import pathlib, os\nA = 1\npathlib.Path({str(marker)!r}).touch()\nos.system('touch {marker}')\nopen({str(marker)!r}, 'w')"
    assert value_of(tmp_path, source) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plans.py"]


def test_a_functions_calls_are_listed_by_what_they_are(tmp_path):
    (tmp_path / "plans.py").write_text(
        "from lib import somali\ndef g(t):\n    return somali.clean_age(t)\nA = lambda text: str(g(text))"
    )
    evaluator = Evaluator(tmp_path, {})
    function = evaluator.load(Path("plans.py")).scope.names["A"]
    calls = evaluator.functions_called(function)
    assert [type(call) for call in calls] == [Foreign, Function]
    assert evaluator.functions_called(calls[1]) == [Foreign("lib.somali.clean_age")]


def test_a_member_of_a_call_is_kept(tmp_path):
    member = value_of(tmp_path, "from lib import load\nA = load().x")
    assert isinstance(member, Member)
    assert isinstance(member.owner, Call)
