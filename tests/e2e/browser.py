"""Headless Chromium on the example page: several tabs at once, and what its network log said."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from .requirements import program

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--ignore-certificate-errors", "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)  # fmt: skip

READ = """
const [key, url, reader] = arguments;
window.outcomes ??= {};
show(url, {fetch: readWithFetch, EventSource: readWithEventSource}[reader]).then(
  (text) => { window.outcomes[key] = ["whole", text]; },
  (error) => { window.outcomes[key] = ["lost", String(error)]; });
"""


FETCH = """
const [key, url, question] = arguments;
window.outcomes ??= {};
const options = question && {method: "POST", headers: {"Content-Type": "application/json"}, body: question};
fetch(url, options ?? {}).then(
  (response) => response.text().then((text) => { window.outcomes[key] = [String(response.status), text]; }),
).catch((error) => { window.outcomes[key] = ["lost", String(error)]; });
"""


class Browser:
    """One Chromium with an empty profile. A context manager."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = program("chromium")
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self._driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
        self._driver.set_page_load_timeout(30)
        self._driver.set_script_timeout(30)
        self._tabs: dict[str, str] = {}
        self._failures: dict[str, str] = {}
        self._requests: dict[str, str] = {}

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.quit()

    def open(self, origin: str) -> None:
        """Open the page of an origin in a tab of its own."""
        if self._tabs:
            self._driver.switch_to.new_window("tab")
        self._tabs[origin] = self._driver.current_window_handle
        self._driver.get(f"{origin}/")
        assert self._driver.title == "chat", self._driver.page_source

    def run(self, url: str, script: str, *arguments: object) -> Any:
        """Run a script on a page; give what it passes to its last argument, a function."""
        self._driver.get(url)
        return self._driver.execute_async_script(script, *arguments)

    def read(self, origin: str, path: str, reader: str) -> str:
        """Begin to read an answer in the origin's tab, with `fetch` or `EventSource`; give a key for `outcomes`."""
        self._driver.switch_to.window(self._tabs[origin])
        key = f"{path} {reader}"
        self._driver.execute_script(READ, key, path, reader)
        return key

    def fetch(self, origin: str, path: str, question: object = None) -> str:
        """Begin to fetch a path as it is, by POST if there is a question; give a key for `outcomes`."""
        self._driver.switch_to.window(self._tabs[origin])
        body = None if question is None else json.dumps(question)
        key = f"{path} {body}"
        self._driver.execute_script(FETCH, key, path, body)
        return key

    def outcomes(self, origin: str, keys: list[str], until: float) -> dict[str, tuple[str, str]]:
        """Wait for these answers of this tab; give ("whole", text) or ("lost", error), and nothing for one too late.

        What was fetched as it is has its status in place of "whole".
        """
        self._driver.switch_to.window(self._tabs[origin])
        while True:
            ended: dict[str, Any] = self._driver.execute_script("return window.outcomes ?? {}")
            found = {key: tuple(ended[key]) for key in keys if key in ended}
            if len(found) == len(keys) or time.monotonic() > until:
                return found
            time.sleep(0.2)

    def network_errors(self) -> dict[str, str]:
        """Give Chromium's error for each URL whose load failed so far, such as `net::ERR_HTTP2_PROTOCOL_ERROR`."""
        for entry in self._driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            params = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                self._requests[params["requestId"]] = params["request"]["url"]
            elif message["method"] == "Network.loadingFailed" and not params.get("canceled"):
                # A load of the browser's own may fail whose request is in no log.
                url = self._requests.get(params["requestId"], params["requestId"])
                self._failures[url] = params["errorText"]
        return self._failures
