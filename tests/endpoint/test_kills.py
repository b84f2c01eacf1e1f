"""Runs survive `kill -9` of the client and of the server, at random moments.

As a script it does the same at any size: ``python tests/endpoint/test_kills.py IMAGES KILLS``.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SERVED = Path(__file__).resolve().parent / "served"
KEY = "test_0123456789abcdef"


class Kills:
    """A client and a server in processes of their own, killed and started again until all images are answered."""

    def __init__(self, folder: Path, images: int, kills: int, seed: int) -> None:
        self.folder, self.images, self.kills = folder, images, kills
        self.chance = random.Random(seed)
        (folder / "images").mkdir()
        for i in range(images):
            Image.fromarray(np.full((1, 1, 3), (i // 256, i % 256, 0), np.uint8)).save(
                folder / "images" / f"{i:05}.png"
            )
        (folder / "key").write_text(KEY)
        (folder / "key").chmod(0o600)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{SERVED}", "SCALE_API_KEY": ""}
        command = [sys.executable, "-m", "rapideval", *args, "--key-file", str(self.folder / "key"), "--json"]
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=output, stderr=output)

    def serve(self) -> subprocess.Popen[bytes]:
        model = "--model=steady=served_models:steady"
        return self.start("serve", model, "--port", str(self.port), "--state", "state", "--queue", "100000")

    def predict(self) -> subprocess.Popen[bytes]:
        url = f"http://127.0.0.1:{self.port}"
        return self.start("predict", "steady", "images", "--out", "run", "--url", url, "--patience", "60")

    def run(self) -> dict[str, object]:
        """Kill and start again until the client has ended by itself; what came of it."""
        began = time.monotonic()
        left = Counter(server=self.kills, client=self.kills)
        server, client = self.serve(), self.predict()
        try:
            while left.total() or client.poll() is None:
                if not left.total():
                    client.wait(300)
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    client.wait(self.chance.uniform(0.2, 2.5))
                which = self.chance.choice([name for name, count in left.items() if count])
                left[which] -= 1
                if which == "server":
                    server.kill()
                    server.wait()
                    server = self.serve()
                else:
                    client.kill()
                    client.wait()
                    client = self.predict()
        finally:
            for process in (client, server):
                process.kill()
                process.wait()
        return {"seconds": time.monotonic() - began, "code": client.returncode, **self.found()}

    def found(self) -> dict[str, object]:
        """How often each image was answered, and how many tasks there were on either side."""
        lines = [json.loads(line) for line in (self.folder / "run" / "answers.jsonl").read_text().splitlines()]
        answered = Counter(name for line in lines for name in line["images"])
        right = sum(
            json.loads(line["result"])[0]["labels"] == [f"{int(name[:5]) // 256}-{int(name[:5]) % 256}"]
            for line in lines
            for name in line["images"]
        )
        with contextlib.closing(sqlite3.connect(self.folder / "run" / "journal.sqlite")) as journal:
            (tasks,) = journal.execute("SELECT count(*) FROM task").fetchone()
        with contextlib.closing(sqlite3.connect(self.folder / "state" / "tasks.sqlite")) as store:
            (taken,) = store.execute("SELECT count(*) FROM task").fetchone()
            (unanswered,) = store.execute("SELECT count(*) FROM task WHERE state != 'success'").fetchone()
        return {
            "images answered once": sum(count == 1 for count in answered.values()),
            "images answered otherwise": sum(count != 1 for count in answered.values()),
            "answers to the right image": right,
            "tasks of the client": tasks,
            "tasks of the server": taken,
            "tasks of the server without an answer": unanswered,
        }


def expected(images: int) -> dict[str, int]:
    return {
        "images answered once": images,
        "images answered otherwise": 0,
        "answers to the right image": images,
        "tasks of the client": images,
        "tasks of the server": images,
        "tasks of the server without an answer": 0,
    }


def test_every_image_is_answered_once_whatever_is_killed_when(tmp_path):
    images = 200
    result = Kills(tmp_path, images, kills=4, seed=7).run()
    assert result.pop("seconds") < 120
    assert result.pop("code") == 0, (tmp_path / "output.txt").read_text()[-3000:]
    assert result == expected(images)


if __name__ == "__main__":
    size, times = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(Kills(Path(temporary), size, times, seed=1).run(), indent=2))
