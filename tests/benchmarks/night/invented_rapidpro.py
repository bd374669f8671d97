"""A RapidPro with an invented season of any size, in a process of its own. It makes each page when it is asked for."""

import base64
import contextlib
import hashlib
import json
import multiprocessing
import random
import urllib.parse
import urllib.request
import uuid
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.outputs.season import SeasonMaker
from engagement.configuration import load_project
from serving import JsonRequest

_PAGE = 250
_MESSAGES_OF_A_PARTICIPANT = 4
_ANSWERED_THE_SURVEY = 85
_TOMORROW = "/tomorrow"
_RUN_TAKES = timedelta(seconds=40)
# A night with nothing new asks for the same pages as the one before.
_KEPT_ANSWERS = 500


class Rows:
    """Rows of the workspace, made from their numbers; all of them come in the order of their times."""

    def __init__(self, configuration: Path, messages: int) -> None:
        self._project = load_project(configuration)
        self._maker = SeasonMaker(self._project, messages)
        self._messages = messages
        self._participants = max(1, messages // _MESSAGES_OF_A_PARTICIPANT)
        self._new = 0
        # Of each flow, as every page asks for them.
        self._known_numbers: dict[str, Sequence[int]] = {}
        self.flows = [*self._project.configuration.activation_flows, *self._project.configuration.survey_flows]
        self._names = {make_uuid("flow", known): known for known in self.flows}

    def add_one_percent(self) -> None:
        """One new participant for each hundred, each with a message."""
        self._new = max(1, self._participants // 100)
        self._known_numbers.clear()

    def listing(self, name: str, flow: str | None) -> tuple[int, Callable[[int], datetime], Callable[[int], Any]]:
        """How many rows of a kind there are; the time of one by its place; and the row itself."""
        if name == "contacts":
            return self._participants + self._new, self._contact_time, self._contact
        if name == "runs" and flow in self._names:
            known = self._names[flow]
            numbers = self._known_numbers.get(known) or self._known_numbers.setdefault(known, self._numbers(known))
            return (
                len(numbers),
                lambda place: self._modified(numbers[place]),
                lambda place: self._run(known, numbers[place]),
            )
        rows = {"flows": [{"uuid": make_uuid("flow", known), "name": known} for known in self.flows]}.get(name, [])
        return len(rows), lambda _: self._maker.time_of(0), rows.__getitem__

    def _numbers(self, flow: str) -> list[int]:
        activation = self._project.configuration.activation_flows
        if flow not in activation:
            return [number for number in range(self._participants) if _hash(flow, number) % 100 < _ANSWERED_THE_SURVEY]
        first = activation.index(flow)
        new = range(self._messages, self._messages + self._new) if first == 0 else ()
        return [*range(first, self._messages, len(activation)), *new]

    def _participant(self, number: int) -> int:
        return number % self._participants if number < self._messages else self._participants + number - self._messages

    def _contact_time(self, participant: int) -> datetime:
        # Whoever comes later wrote later.
        number = participant if participant < self._participants else self._messages + participant - self._participants
        return self._maker.time_of(number)

    def _contact(self, participant: int) -> dict[str, object]:
        return {
            "uuid": make_uuid("contact", participant),
            "urns": [f"tel:+25261{participant:07}"],
            "modified_on": self._contact_time(participant).isoformat(),
        }

    def _modified(self, number: int) -> datetime:
        return self._maker.time_of(number) + _RUN_TAKES

    def _run(self, flow: str, number: int) -> dict[str, object]:
        participant, created = self._participant(number), self._maker.time_of(number).isoformat()
        texts = self._maker.choose_texts(flow, participant, number, random.Random(_hash(flow, number)))
        modified = self._modified(number).isoformat()
        return {
            "id": 10**9 + 10**8 * self.flows.index(flow) + number,
            "uuid": make_uuid(f"run of {flow}", number),
            "flow": {"uuid": make_uuid("flow", flow), "name": flow},
            "contact": {
                "uuid": make_uuid("contact", participant),
                "urn": f"tel:+25261{participant:07}",
                "name": "Invented",
            },
            "start": None,
            "responded": True,
            "path": [],
            "values": {
                category.lower(): {
                    "value": text,
                    "category": "All Responses",
                    "node": make_uuid("node", category),
                    "time": created,
                    "input": text,
                    "name": category,
                }
                for category, text in texts
            },
            "created_on": created,
            "modified_on": modified,
            "exited_on": modified,
            "exit_type": "completed",
        }


def make_uuid(kind: str, key: object) -> str:
    """A uuid like those of RapidPro: in no order."""
    return str(uuid.UUID(bytes=hashlib.md5(f"{kind} {key}".encode()).digest(), version=4))


def _hash(kind: str, number: int) -> int:
    return int.from_bytes(hashlib.md5(f"{kind} {number}".encode()).digest()[:8])


@contextlib.contextmanager
def serve_rapidpro(configuration: Path, messages: int) -> Iterator[str]:
    """Serve a season during the block; gives the address."""
    ready: multiprocessing.Queue[int] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(Rows(configuration, messages), ready), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ready.get()}"
    finally:
        process.terminate()
        process.join()


def begin_next_day(address: str) -> None:
    """From now on there are new participants."""
    urllib.request.urlopen(address + _TOMORROW).close()


def _serve(rows: Rows, ready: "multiprocessing.Queue[int]") -> None:
    answers: dict[str, bytes] = {}

    class Handler(JsonRequest):
        def do_GET(self) -> None:  # noqa: N802 - the name of http.server
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            name = url.path.removeprefix("/api/v2/").removesuffix(".json")
            if url.path == _TOMORROW:
                rows.add_one_percent()
                answers.clear()
                self.answer({})
            elif (kept := answers.get(self.path)) is not None:
                self.answer_encoded(kept)
            elif name == "workspace":
                self.answer({"uuid": make_uuid("workspace", 0), "name": "Benchmark", "country": "SO"})
            else:
                self._reply_page(name, query, f"http://{self.headers['Host']}{url.path}")

        def _reply_page(self, name: str, query: dict[str, str], address: str) -> None:
            count, time_of, row = rows.listing(name, query.get("flow"))
            if "cursor" in query:
                start = int(base64.b64decode(query["cursor"]).removeprefix(b"p="))
            elif "after" in query:
                start = bisect_left(range(count), datetime.fromisoformat(query["after"]), key=time_of)
            else:
                start = 0
            end, following = min(count, start + _PAGE), None
            if "before" in query:
                last = datetime.fromisoformat(query["before"]) + timedelta(microseconds=1)
                count = bisect_left(range(count), last, key=time_of)
                end = min(end, count)
            if end < count:
                cursor = base64.b64encode(f"p={end}".encode()).decode()
                following = f"{address}?{urllib.parse.urlencode({**query, 'cursor': cursor})}"
            page = {"next": following, "previous": None, "results": [row(place) for place in range(start, end)]}
            encoded = answers[self.path] = json.dumps(page).encode()
            if len(answers) > _KEPT_ANSWERS:
                answers.pop(next(iter(answers)), None)
            self.answer_encoded(encoded)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.put(server.server_port)
    server.serve_forever()
