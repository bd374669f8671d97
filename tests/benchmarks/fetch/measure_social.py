"""Measure comments and group messages: python tests/benchmarks/fetch/measure_social.py [MESSAGES] (PYTHONPATH=src:tests).

Fetches invented comments of 20 posts from a process on another core, then as many messages of an export of a Telegram group, each into
a new data root in a process of its own; then both again, when nothing is new. Prints seconds, CPU seconds and peak memory.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

from fake_facebook import PAGE, TOKEN
from fetch_project import FetchProject
from serving import JsonRequest
from telegram_exports import GROUP, message

_POSTS, _PAGE_SIZE = 20, 100
_START = datetime(2026, 3, 1, tzinfo=UTC)


def serve(comments: int, ready: multiprocessing.Queue) -> None:
    """Serve comments until killed: a page's number is its cursor."""
    each = comments // _POSTS

    class Handler(JsonRequest):
        def do_GET(self) -> None:  # noqa: N802 - the name of http.server
            path, _, query = self.path.partition("?")
            node = path.split("/")[2]
            if node == "me":
                return self.answer({"id": PAGE})
            if not path.endswith("/comments"):
                return self.answer({"id": node, "created_time": "2026-03-01T00:00:00+0000"})
            post = int(node.rpartition("_")[2])
            start = int(query.rpartition("after=")[2].partition("&")[0]) if "after=" in query else 0
            end = min(each, start + _PAGE_SIZE)
            rows = [_comment(post, number) for number in range(start, end)]
            more = {"next": f"http://x/?access_token={TOKEN}"} if end < each else {}
            return self.answer({"data": rows, "paging": {"cursors": {"after": str(end)}, **more}})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.put(server.server_port)
    server.serve_forever()


def _comment(post: int, number: int) -> dict[str, object]:
    return {
        "id": f"{post}_{number}",
        "message": f"jawaab {number} ee su'aasha, waan idin salaamayaa dhammaantiin",
        "created_time": (_START + timedelta(seconds=60 * number + post)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "from": {"id": str(24_000_000_000_000 + (number * 7 + post) % 20_000)},
        "is_hidden": False,
    }


def fetch(name: str, folder: Path, source: dict[str, object], messages: int) -> None:
    """Run the stage twice and print how fast it was."""
    project = FetchProject(folder, "")
    (project.keys / "token.txt").write_text(TOKEN)
    project.sources = [source]
    for what in ("first", "again"):
        started, cpu = time.perf_counter(), time.process_time()
        project.fetch()
        elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{name}, {what}: {messages:,} in {elapsed:.2f} s; CPU {cpu:.2f} s; peak {peak} MiB", flush=True)


def main() -> None:
    """Measure both sources."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=100_000)
    messages = parser.parse_args().messages
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("facebook", "telegram", "exports"):
            (folder / name).mkdir()
        ready = context.Queue()
        server = context.Process(target=serve, args=(messages, ready), daemon=True)
        server.start()
        posts = [f"{PAGE}_{5000 + number}" for number in range(_POSTS)]
        facebook = {
            "SourceType": "FacebookComments",
            "TokenFileURL": "gs://keys/token.txt",
            "Posts": [{"FlowName": "bench_facebook", "PostIDs": posts}],
            "OpenDays": 3000,
            "Server": f"http://127.0.0.1:{ready.get()}",
        }
        with (folder / "exports" / "result.json").open("w") as file:
            file.write(f'{{"name": "Bench", "type": "private_supergroup", "id": {GROUP}, "messages": [\n')
            for number in range(1, messages + 1):
                row = message(number, f"jawaab {number} ee su'aasha, waan idin salaamayaa", of=number % 20_000)
                file.write(("" if number == 1 else ",\n") + json.dumps(row, indent=1))
            file.write("\n]}")
        telegram = {
            "SourceType": "TelegramGroup",
            "FlowName": "bench_telegram",
            "GroupID": GROUP,
            "ExportURLs": [(folder / "exports").as_uri()],
        }
        for name, source in (("facebook", facebook), ("telegram", telegram)):
            worker = context.Process(target=fetch, args=(name, folder / name, source, messages))
            worker.start()
            worker.join()
            if worker.exitcode:
                sys.exit(worker.exitcode)
        server.kill()


if __name__ == "__main__":
    main()
