"""A browser that tests drive with real keys and clicks, through a pipe: Chromium's DevTools protocol, without a port.

Nothing here knows the pages that are looked at.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_SECONDS = 60.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip
_KEYS = {"Enter": 13, "Tab": 9, " ": 32, "ArrowDown": 40, "ArrowUp": 38, "Escape": 27}


def find_chromium() -> str:
    """The browser on this machine; without one the test is skipped, or fails where CI is true."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium on this machine; expected one where CI is true (apt-get install chromium)")
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


class Tab:
    """A page in the browser; `clicks` counts every click and key of the tester's."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer, self._number = b"", 0
        self._session: str | None = None
        self.clicks = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE_SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser said nothing"
            found = os.read(self._from, 1 << 20)
            assert found, "the browser ended"
            self._buffer += found
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def open(self, address: str, width: int = 1400, is_dark: bool = False) -> None:
        """Open a page at a width, and wait until it is loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
        self.call("Emulation.setEmulatedMedia", media="", features=features)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def ask(self, expression: str) -> Any:
        """Evaluate a script in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until something holds."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self.ask(condition):
            assert time.monotonic() < until, condition
            time.sleep(0.02)

    def click(self, element: str) -> None:
        """Click with the mouse in the middle of an element, given as a script."""
        self.clicks += 1
        place = self.ask(
            f"(() => {{ const e = {element}; e.scrollIntoView({{ block: 'center' }}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press a key on whatever has the focus."""
        self.clicks += 1
        text = {"Enter": "\r", " ": " "}.get(key)
        more = {"text": text} if text else {}
        for kind in ("keyDown" if text else "rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key if key != " " else "Space",
                      windowsVirtualKeyCode=_KEYS[key], **(more if kind == "keyDown" else {}))  # fmt: skip

    def write(self, text: str) -> None:
        """Type a text where the focus is."""
        self.call("Input.insertText", text=text)

    def choose(self, select_element: str, text: str) -> None:
        """Choose an option of a list by its text, with the keyboard: its first letters choose it. One click."""
        self.ask(f"{select_element}.focus()")
        for letter in text:
            for kind in ("keyDown", "keyUp"):
                more = {"text": letter} if kind == "keyDown" else {}
                self.call("Input.dispatchKeyEvent", type=kind, key=letter, **more)
        self.clicks += 1

    def print(self) -> bytes:
        """Print the page on A4 as a PDF."""
        found = self.call("Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(found["data"])

    def download_to(self, folder: Path) -> None:
        """Let downloads go to a folder."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def wait_for_files(self, folder: Path, names: set[str]) -> None:
        """Wait until a folder holds files of these names."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not names <= {path.name for path in folder.iterdir()}:
            assert time.monotonic() < until, sorted(path.name for path in folder.iterdir())
            time.sleep(0.02)


@contextmanager
def browsing(profile: Path) -> Iterator[Tab]:
    """A browser of its own, with one tab, that ends with the test."""
    read_end, to_browser = os.pipe()
    from_browser, write_end = os.pipe()
    # Chromium reads what to do from descriptor 3, and answers on 4.
    command = f'exec "$0" "$@" 3<&{read_end} 4>&{write_end}'
    arguments = ["bash", "-c", command, find_chromium(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        arguments, pass_fds=(read_end, write_end), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(read_end)
    os.close(write_end)
    try:
        yield Tab(to_browser, from_browser)
    finally:
        os.close(to_browser)
        process.terminate()
        process.wait(timeout=_PATIENCE_SECONDS)
        os.close(from_browser)
