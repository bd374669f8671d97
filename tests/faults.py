"""Stages in processes of their own, to which something happens: they die between two changes, meet a full disk, or the clock jumps.

The processes are forked from a server without threads, which has imported everything once: a stage then costs what it
does, and not what its imports cost. That server is not the process of the tests, which may have threads.
"""

import contextlib
import datetime as datetime_module
import importlib
import io
import multiprocessing
import os
import resource
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

KILLED = 9
PROCESSES = multiprocessing.get_context("forkserver")
_TESTS = Path(__file__).parent
_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NOW = datetime_module.datetime(2026, 4, 3, 2, 30, tzinfo=datetime_module.UTC)


@dataclass(frozen=True)
class Ended:
    """How a process ended. `changes` are those that it made, as far as it lived to count them; `told` is what it logged."""

    status: int
    changes: int
    told: str


class Changes:
    """Counts the changes that this process makes below a folder: each step of Python's that writes, each statement of SQLite's.

    Just before the one numbered `last` (from 1) the process dies, as if by kill -9.
    """

    def __init__(self, folder: Path, last: int | None = None, events: frozenset[str] | None = None) -> None:
        self.count = 0
        self._folder = str(folder)
        self._last = last
        self._events = events

    def watch(self) -> None:
        """Begin to count; there is no end to it."""
        sys.addaudithook(self._note)
        connect = sqlite3.connect

        def connect_and_watch(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(self._make_change)
            return connection

        if self._events is None:
            sqlite3.connect = connect_and_watch  # type: ignore[assignment]

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self._events is None:
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and self._is_below(path):
                self._make_change(event)
        elif event in (self._events or _CHANGES) and self._is_below(arguments[0]):
            self._make_change(event)

    def _is_below(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._folder)

    def _make_change(self, _: str) -> None:
        self.count += 1
        if self.count == self._last:
            os._exit(KILLED)


def run_stage(arguments: list[str], prepare: Callable[[], object] = lambda: None, now: Any = NOW) -> Ended:
    """Run a stage in a forked process; `prepare` is called in it first. To be called where there are no threads."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _run_and_exit(arguments, prepare, now, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        changes, _, told = pipe.read().decode(errors="replace").partition("\n")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ended(status, int(changes or 0), told)


def _run_and_exit(arguments: list[str], prepare: Callable[[], object], now: Any, writer: int) -> None:
    status = 1
    told = io.StringIO()
    changes = None
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
            changes = prepare()
            set_clock(now)
            have_no_patience()
            status = importlib.import_module("engagement.__main__").main(arguments)
    except BaseException:
        told.write(traceback.format_exc())
    finally:
        count = changes.count if isinstance(changes, Changes) else 0
        with contextlib.suppress(OSError):
            os.write(writer, f"{count}\n{told.getvalue()[-20_000:]}".encode())
        os._exit(status)


def set_clock(now: datetime_module.datetime) -> None:
    """Let the time stand still for everything of the project that asks for it."""

    class AnyTime(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, datetime_module.datetime)

    class Standing(datetime_module.datetime, metaclass=AnyTime):
        @classmethod
        def now(cls, tz: datetime_module.tzinfo | None = None) -> datetime_module.datetime:
            return now.astimezone(tz)

    for module in _project_modules():
        if vars(module).get("datetime") is datetime_module.datetime:
            vars(module)["datetime"] = Standing


def have_no_patience() -> None:
    """Let every stage try again without waiting, and give up soon."""
    from engagement.services.retries import RetryPolicy

    def make_policy() -> RetryPolicy:
        return RetryPolicy(sleep=lambda _: None, budget_seconds=5.0, told_budget_seconds=5.0)

    for module in _project_modules():
        if vars(module).get("RetryPolicy") is RetryPolicy and module.__name__ != RetryPolicy.__module__:
            vars(module)["RetryPolicy"] = make_policy
    from engagement.services.coda.firestore import FirestoreCoda

    # Its patience is a default of its own.
    FirestoreCoda.__init__.__defaults__ = (make_policy(),)


def _project_modules() -> Iterator[Any]:
    return (module for name, module in list(sys.modules.items()) if name.startswith("engagement."))


def limit_files(size: int) -> None:
    """Let no file grow past a size, as on a disk that is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def start_server() -> None:
    """Start the server, if it is not there. What it imports is found by PYTHONPATH alone."""
    PROCESSES.set_forkserver_preload(["faults_preload"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_TESTS), str(_TESTS.parent / "src")])
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


def in_server[Result](function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in a process without threads, and give what it returns."""
    start_server()
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_call, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        is_well, result = receiver.recv()
    except EOFError:
        is_well, result = False, f"the process died with status {process.exitcode}"
    process.join()
    if not is_well:
        raise AssertionError(result)
    return result


def _call(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # Before the clock is stopped; done already where this module's own server runs.
    importlib.import_module("faults_preload")
    try:
        sender.send((True, function(*arguments)))
    except BaseException:
        sender.send((False, traceback.format_exc()))
