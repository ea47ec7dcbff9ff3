"""A Chromium that nothing watches but what is sent here: its DevTools protocol, spoken directly.

Playwright has a browser keep what it fetched, for its own looking into the network: it cannot tell the memory of a page
from that.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_ANSWERS_AT = re.compile(r"ws://\S+")
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--remote-debugging-port=0",
    "--window-size=1280,800",
)


class Tab:
    """The one tab of the browser. `send` goes to it, `ask_browser` to the browser; both wait for the answer."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sent = 0
        self._session: str | None = None

    def open(self, address: str) -> None:
        target = self.ask_browser("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask_browser("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Page.navigate", url=address)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:  # Any: JSON
        return self._exchange(method, parameters, {"sessionId": self._session})

    def ask_browser(self, method: str, **parameters: Any) -> dict[str, Any]:  # Any: JSON
        return self._exchange(method, parameters, {})

    def evaluate(self, expression: str) -> Any:  # Any: JSON
        """Its value; of a promise, what it is fulfilled with."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def _exchange(self, method: str, parameters: dict[str, Any], to: dict[str, Any]) -> dict[str, Any]:
        self._sent += 1
        self._connection.send(json.dumps({"id": self._sent, "method": method, "params": parameters, **to}))
        while True:
            told: dict[str, Any] = json.loads(self._connection.recv())
            if told.get("id") == self._sent:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                answer: dict[str, Any] = told["result"]
                return answer


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """`profile`: the folder for what the browser keeps on disk."""
    chromium = shutil.which("chromium")
    assert chromium
    command = [chromium, *_ARGUMENTS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as browser:
        assert browser.stderr
        found = next(found for line in browser.stderr if (found := _ANSWERS_AT.search(line)))
        with connect(found.group(), max_size=None) as connection:
            yield Tab(connection)
        browser.terminate()
