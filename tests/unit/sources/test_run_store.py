"""What is kept of a source's runs: each once, in its newest line, whatever ends the process in between."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement.foundation.errors import LockedError
from engagement.sources.rapidpro.de_identify import ContactIdentity
from engagement.sources.rapidpro.state import run_store_files
from engagement.sources.rapidpro.state.run_store import HeldRun, KeptRun
from engagement.sources.rapidpro.state.run_store_files import open_run_store
from property_examples import examples

FLOWS = (1, 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my state.1.sqlite"


def kept(uuid, modified=1, text="x"):
    return KeptRun(uuid, "contact", modified, 7, f"{uuid} {modified} {text}\n".encode())


def keep(store, *runs, flow=1):
    with store.transaction():
        store.keep_lines(flow, runs)


def content(store, flow=1):
    return b"".join(store.lines(flow))


def logs_beside(path):
    return sorted(found.name for found in path.parent.glob("*.lines"))


arrivals = st.lists(
    st.tuples(
        st.sampled_from(FLOWS),
        st.lists(st.builds(kept, st.sampled_from("abcdefgh"), st.integers(0, 5), st.text("xyz")), max_size=4),
        st.sampled_from(["kept", "undone", "opened again"]),
    ),
    max_size=12,
)


@settings(max_examples=examples(40))
@given(arrivals)
def test_lines_are_the_last_ones_kept_of_each_run_in_order(arrivals):
    """A run that comes again takes the place of its older line; what was undone was never there."""
    expected = {flow: {} for flow in FLOWS}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        path = Path(folder) / "state.sqlite"
        store = opened.enter_context(open_run_store(path))
        for flow, runs, ending in arrivals:
            distinct = list({run.uuid: run for run in runs}.values())
            if ending == "undone":
                with contextlib.suppress(KeyError), store.transaction():
                    store.keep_lines(flow, distinct)
                    raise KeyError
                continue
            keep(store, *distinct, flow=flow)
            expected[flow] |= {run.uuid: run for run in distinct}
            if ending == "opened again":
                opened.close()
                store = opened.enter_context(open_run_store(path))
        for flow, runs in expected.items():
            in_order = sorted(runs.values(), key=lambda run: (run.modified, run.uuid))
            assert content(store, flow) == b"".join(run.text for run in in_order)
            assert store.count(flow) == len(runs)
            assert store.held(flow, "abcdefgh") == {run.uuid: HeldRun((run.modified, False), 7) for run in in_order}
            assert {run for batch in store.batches(flow) for run in batch} == set(in_order)


def test_many_lines_are_read_in_pieces(path):
    """More than one reading, with gaps in between."""
    runs = [kept(f"{number:04}", number, "x" * 3000) for number in range(1200)]
    with open_run_store(path) as store:
        keep(store, *runs)
        keep(store, *(run._replace(text=run.text.upper()) for run in runs[::100]))
        pieces = list(store.lines(1))
    assert len(pieces) > 20
    assert b"".join(pieces) == b"".join(run.text.upper() if not n % 100 else run.text for n, run in enumerate(runs))


class TestWrittenAnew:
    """The log of lines, once more than half of it was replaced."""

    @pytest.fixture(autouse=True)
    def garbage(self, path, monkeypatch):
        monkeypatch.setattr(run_store_files, "_LEAST_GARBAGE_BYTES", 10)
        with open_run_store(path) as store:
            for text in ("one", "two", "three"):
                keep(store, kept("b", text=text), kept("a", text=text))
            keep(store, kept("c"), flow=2)

    def check(self, path):
        with open_run_store(path) as store:
            assert content(store) == b"a 1 three\nb 1 three\n"
            assert content(store, 2) == b"c 1 x\n"
            assert logs_beside(path) == ["my state.1.1.lines"]
            assert (path.parent / "my state.1.1.lines").read_bytes() == b"b 1 three\na 1 three\nc 1 x\n"

    def test_it_holds_only_lines_that_count(self, path):
        self.check(path)
        self.check(path)

    def test_it_grows_on(self, path):
        with open_run_store(path) as store:
            keep(store, kept("d", 2))
        with open_run_store(path) as store:
            assert content(store) == b"a 1 three\nb 1 three\nd 2 x\n"

    def test_one_that_was_not_completed_is_begun_again(self, path):
        (path.parent / "my state.1.1.lines").write_bytes(b"b 1 three\na 1 th")
        self.check(path)

    def test_an_old_one_that_was_not_removed_any_more_is_removed(self, path):
        (old,) = path.parent.glob("*.lines")
        before = old.read_bytes()
        self.check(path)
        old.write_bytes(before)
        self.check(path)


@pytest.mark.parametrize("damage", ["missing", "shorter"])
def test_a_log_that_lost_lines_begins_everything_anew(path, caplog, damage):
    with open_run_store(path) as store:
        keep(store, kept("a"), kept("b"))
    (log,) = path.parent.glob("*.lines")
    log.unlink() if damage == "missing" else log.write_bytes(log.read_bytes()[:-1])
    with open_run_store(path) as store:
        assert content(store) == b""
        keep(store, kept("c"))
        assert content(store) == b"c 1 x\n"
    assert "everything is fetched again" in caplog.text


def test_who_contacts_are_outlives_a_state_that_is_given_up_and_a_kill_meanwhile(path, monkeypatch):
    who = ContactIdentity("avf-phone-uuid-1", "tel", "25261")
    with open_run_store(path) as store, store.transaction():
        store.contacts.add([(("contact", who), None)])
        store.keep_lines(1, [kept("a")])
    for log in path.parent.glob("*.lines"):
        log.unlink()

    def remove_and_be_killed(path):
        remove(path)
        raise KeyboardInterrupt

    remove = run_store_files._remove
    with monkeypatch.context() as patch:
        patch.setattr(run_store_files, "_remove", remove_and_be_killed)
        with pytest.raises(KeyboardInterrupt), open_run_store(path):
            pass
    assert not path.exists()
    for _ in range(2):
        with open_run_store(path) as store:
            assert store.participants(["contact"]) == {"contact": who}
    assert not list(path.parent.glob("*contacts*"))


def test_what_was_written_after_the_last_transaction_is_cut_off(path):
    """As after a kill between the lines and the rows that name them."""
    with open_run_store(path) as store:
        keep(store, kept("a"))
    (log,) = path.parent.glob("*.lines")
    log.write_bytes(log.read_bytes() + b"b 1 written, but its rows never were\n")
    with open_run_store(path) as store:
        assert log.read_bytes() == content(store) == b"a 1 x\n"


def test_a_log_without_its_state_does_not_stay(path):
    with open_run_store(path) as store:
        keep(store, kept("a"))
    path.unlink()
    with open_run_store(path) as store:
        assert content(store) == b""
        assert [log.read_bytes() for log in path.parent.glob("*.lines")] == [b""]


def test_files_are_for_their_owner_only(path):
    with open_run_store(path) as store:
        keep(store, kept("a"))
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_a_second_process_is_refused_and_changes_nothing(path):
    with open_run_store(path) as store:
        keep(store, kept("a"))
        with pytest.raises(LockedError, match="one fetch at a time"), open_run_store(path):
            pass
        keep(store, kept("b"))
        assert content(store) == b"a 1 x\nb 1 x\n"
