"""Measure `suggest-labels`: python tests/benchmarks/suggestions/measure_suggestions.py [MESSAGES] [LABELLED] [CODES] (PYTHONPATH=src:tests).

Makes invented answers, each code with some words of its own, in a temporary folder; the first are labelled. Then learns and suggests in a
process of its own. Prints processor seconds and peak memory; expected are at most 60 s and 600 MiB for 100,000 answers, 20,000 of them
labelled, and 40 codes.
"""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

WORDS_OF_A_CODE, COMMON_WORDS, SYLLABLES = (
    60,
    4_000,
    ("ba", "do", "ku", "mi", "na", "ro", "sha", "ti", "wa", "xo", "yo", "ga"),
)


def make_words(random_: random.Random, number: int) -> list[str]:
    return ["".join(random_.choices(SYLLABLES, k=random_.randint(2, 4))) for _ in range(number)]


def make_scheme(codes: int) -> dict[str, Any]:
    return {
        "SchemeID": "Scheme-topic", "Name": "Topic", "Version": "1",
        "Codes": [
            {
                "CodeID": f"code-{number}", "CodeType": "Normal", "DisplayText": f"topic {number}", "NumericValue": number + 1,
                "StringValue": f"topic_{number}", "VisibleInCoda": True,
            }
            for number in range(codes)
        ],
    }  # fmt: skip


def make_messages(messages: int, labelled: int, codes: int) -> list[dict[str, Any]]:
    """Answers of 5 to 19 words, a quarter of them of their code; the number at the end tells them apart."""
    random_ = random.Random(20)
    common = make_words(random_, COMMON_WORDS)
    own = [make_words(random_, WORDS_OF_A_CODE) for _ in range(codes)]
    made = []
    for number in range(messages):
        code = number % codes
        words = [
            random_.choice(own[code] if random_.random() < 0.25 else common) for _ in range(random_.randint(5, 19))
        ]
        text, day = f"{' '.join(words)} {number}", 1 + number * 28 // messages
        label = {
            "Checked": True, "CodeID": f"code-{code}", "DateTimeUTC": "2026-05-01T10:00:00+00:00", "SchemeID": "Scheme-topic",
            "Origin": {"Name": "Ann", "OriginID": "ann@example.org", "OriginType": "Manual"},
        }  # fmt: skip
        made.append(
            {
                "MessageID": hashlib.sha256(text.encode()).hexdigest(),
                "Text": text,
                "CreationDateTimeUTC": f"2026-04-{day:02d}T10:00:00+00:00",
                "Labels": [label] if number < labelled else [],
            }  # fmt: skip
        )
    return made


def main() -> None:
    """Prepare, then measure a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=100_000)
    parser.add_argument("labelled", type=int, nargs="?", default=20_000)
    parser.add_argument("codes", type=int, nargs="?", default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "topic.json").write_text(json.dumps(make_scheme(given.codes)), encoding="utf-8")
        messages = make_messages(given.messages, given.labelled, given.codes)
        (folder / "coded.json").write_text(json.dumps(messages), encoding="utf-8")
        coded, scheme, suggested = (str(folder / one) for one in ("coded.json", "topic.json", "suggested.json"))
        files = ["--coda-file", coded, "--code-scheme", scheme, "--output", suggested]
        process = subprocess.Popen([sys.executable, "-m", "engagement", "suggest-labels", *files])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = usage.ru_utime + usage.ru_stime
        print(f"exit {process.returncode}: {seconds:.1f} s of processor time, {usage.ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
