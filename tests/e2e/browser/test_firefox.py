"""The way through the chat in Firefox, as the distribution has it: begin, ask, open the words. Nothing is fetched.

Playwright drives a Firefox of its own alone; this one is told what to do by its own protocol (Marionette), a socket.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NO_FIREFOX = (
    "needs Firefox, which is not here or does not start: apt-get install firefox-esr, or FIREFOX=/path/to/firefox"
)
QUESTION = "How long will the Osprey Bridge be closed?"
ENTER = "\ue007"
SECONDS = 120
"""Far more than anything here takes."""
# Quick to start, and asking nothing of anybody but the page.
PREFERENCES = """user_pref("marionette.port", 0);
user_pref("app.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("intl.accept_languages", "en-GB");
user_pref("browser.startup.page", 0);
user_pref("browser.newtabpage.enabled", false);
user_pref("dom.ipc.processCount", 1);
user_pref("dom.ipc.processPrelaunch.enabled", false);
user_pref("fission.autostart", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
"""
WAITED = """const [code, done] = arguments;
const find = new Function("chat", `return ${code}`);
const look = () => {
  const chat = document.querySelector("sourceline-chat")?.shadowRoot;
  const found = chat ? find(chat) : null;
  if (found) done(found); else setTimeout(look, 50);
};
look();"""


class Firefox:
    """One window, told over a socket: `length:[0, number, command, values]`; it says `[1, number, error, values]`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._read()  # who it is
        self._number = 0
        self.told("WebDriver:NewSession", capabilities={"alwaysMatch": {"timeouts": {"script": SECONDS * 1000}}})

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._socket.recv(1)
        body = b""
        while len(body) < int(size[:-1]):
            body += self._socket.recv(int(size[:-1]) - len(body))
        return json.loads(body)

    def told(self, command: str, **values: Any) -> Any:
        self._number += 1
        said = json.dumps([0, self._number, command, values]).encode()
        self._socket.sendall(b"%d:%s" % (len(said), said))
        _, _, error, found = self._read()
        assert error is None, error
        return found

    def waited(self, code: str) -> Any:
        """What an expression over the chat (`chat`) gives, once it gives something."""
        return self.told("WebDriver:ExecuteAsyncScript", script=WAITED, args=[code])["value"]

    def click(self, selector: str) -> None:
        (name,) = self.waited(f"chat.querySelector({json.dumps(selector)})").values()
        self.told("WebDriver:ElementClick", id=name)

    def write(self, selector: str, text: str) -> None:
        (name,) = self.waited(f"chat.querySelector({json.dumps(selector)})").values()
        self.told("WebDriver:ElementSendKeys", id=name, text=text)


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    names = (os.environ.get("FIREFOX", ""), "firefox-esr", "firefox")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(NO_FIREFOX)
    profile = tmp_path / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES)
    command = [path, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    environment = {**os.environ, "HOME": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with closing(Firefox(port_of(process, profile / "MarionetteActivePort"))) as found:
                yield found
        finally:
            process.terminate()


def port_of(process: subprocess.Popen[bytes], note: Path) -> int:
    """The port that it has chosen and written down."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        if note.is_file() and (found := note.read_text().strip()):
            return int(found)
        time.sleep(0.05)
    pytest.skip(NO_FIREFOX)


def test_from_the_first_screen_to_the_words_of_an_article(firefox: Firefox, service: Any) -> None:
    firefox.told("WebDriver:Navigate", url=service.url)
    archive = firefox.waited("chat.querySelector('.archive')?.textContent")
    assert archive.startswith("3 articles · 3 sources · 7 April 2024 – 14 June 2024")
    assert firefox.waited("chat.querySelector('.newest .starter').textContent") == "Osprey Bridge to shut"
    firefox.write(".composer textarea", QUESTION + ENTER)
    firefox.waited("chat.querySelector('.turn .actions')")
    assert firefox.waited("chat.querySelector('.turn .question').textContent") == QUESTION
    answer = firefox.waited("chat.querySelector('.turn .sentence').textContent")
    assert answer.startswith("The Osprey Bridge will be closed to all motor traffic for 16 months")
    firefox.click(".turn .answer .chip")
    firefox.waited("chat.querySelector('.article-body p[dir]')")
    marked = firefox.waited("[...CSS.highlights.get('sourceline-quote')].map(String).join()")
    assert marked.startswith("The Osprey Bridge will be closed")
    assert answer.startswith(marked)
    firefox.click(".article .back")
    assert firefox.waited("chat.querySelector('.article').hidden") is True
    firefox.write(".composer textarea", "Who won the chess championship in Lima?" + ENTER)
    assert firefox.waited("chat.querySelectorAll('.turn')[1]?.querySelector('.actions') && true")
    assert firefox.waited("chat.querySelectorAll('.turn')[1].className") == "turn abstained"
    firefox.click("[part=search-only]")
    firefox.write(".composer textarea", "steel hangers" + ENTER)
    found = firefox.waited("chat.querySelector('.turn .passage:first-child')?.textContent")
    assert "Inspectors found cracks in 27 of its 96 steel hangers." in found
    assert firefox.waited("getComputedStyle(chat.querySelector('.root')).display") == "flex"
    bars = firefox.waited("getComputedStyle(chat.querySelector('.scroller')).scrollbarColor")
    assert bars.endswith("rgba(0, 0, 0, 0)"), "no white stripe beside a dark page"
