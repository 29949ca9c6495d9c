"""How long this machine made us wait: deadlines in tests are widened by that, and it is printed."""

import threading
import time


class Gaps:
    """The largest time this machine kept a thread waiting that only wanted to sleep 5 ms."""

    def __init__(self) -> None:
        self.largest_ms = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._probe, daemon=True)

    def _probe(self) -> None:
        before = time.monotonic()
        while not self._stop.wait(0.005):
            now = time.monotonic()
            self.largest_ms = max(self.largest_ms, (now - before) * 1000 - 5)
            before = now

    def note(self, measured: str) -> None:
        print(f"{measured}; largest scheduling gap so far {self.largest_ms:.0f} ms")  # noqa: T201

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
