"""Throughput and latency of the client and the local endpoint: ``python -m benchmarks.endpoint [--images N]``.

All on this machine, over the loopback: a run shares the processors with the server and its worker, as a user's does.
The model replays recorded answers, so that what is measured is the way to it and back.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import httpx

from rapideval.endpoint.local import LocalEndpoint
from rapideval.endpoint.prediction import Plan, predict
from rapideval.endpoint.server.limits import Limits


def recording(folder: Path, images: int) -> tuple[str, list[str]]:
    """A model that replays one box an image, and the URLs of the images."""
    item = [{"boxes": [[1, 2, 30.5, 40]], "scores": [0.9], "labels": ["car"]}]
    path = folder / "recorded.jsonl"
    with path.open("w") as file:
        for i in range(images):
            line = {"images": [f"{i}.jpg"], "state": "SUCCESS", "result": json.dumps(item)}
            file.write(json.dumps(line) + "\n")
    return f"replay:{path}", [f"https://images.example/{i}.jpg" for i in range(images)]


def warm(endpoint: LocalEndpoint) -> None:
    """Wait until the production endpoint's worker is there."""
    with httpx.Client(
        base_url=endpoint.v0_url, headers={"authorization": endpoint.key.authorization()}, timeout=60, trust_env=False
    ) as http:
        http.post("task_sync/production", json={"args": {"image_url": "https://images.example/0.jpg"}})


def client_row(endpoint: LocalEndpoint, urls: list[str], folder: Path, batch: int, in_flight: int) -> str:
    """Images a second of a whole run, journal included."""
    began, used = time.perf_counter(), time.process_time()
    plan = Plan(batch=batch, in_flight=in_flight)
    with predict(urls, "production", folder, key=endpoint.key, base_url=endpoint.url, plan=plan) as results:
        seconds, busy = time.perf_counter() - began, time.process_time() - used
        answered = results.counts.answered
    assert answered == len(urls)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = f"client, {batch} image{'s' if batch > 1 else ''} a task, {in_flight} in flight"
    each = busy / len(urls) * 1e3
    return (
        f"{name:45} {len(urls) / seconds:8.0f} images/s   {each:6.2f} ms of its processor an image   {memory:5.0f} MB"
    )


def latency_rows(endpoint: LocalEndpoint, rounds: int) -> list[str]:
    """One image at a time: the production endpoint's tail beside the start of a regular endpoint's worker."""
    with httpx.Client(
        base_url=endpoint.url, headers={"authorization": endpoint.key.authorization()}, timeout=60, trust_env=False
    ) as http:
        body = {"args": {"image_url": "https://images.example/0.jpg"}}
        http.post("/v1/hosted_inference/task_sync/regular", json=body)
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            http.post("/v1/hosted_inference/task_sync/production", json=body)
            seconds.append(time.perf_counter() - began)
        status = {item["name"]: item for item in http.get("/status").json()["endpoints"]}
    seconds.sort()
    p50, p99 = (seconds[int(share * (rounds - 1))] * 1e3 for share in (0.5, 0.99))
    cold = status["regular"]["cold_start"]["p50"] * 1e3
    return [
        f"{'production endpoint, one request at a time':45} {p50:8.1f} ms p50   {p99:6.1f} ms p99",
        f"{'regular endpoint, start of its worker':45} {cold:8.1f} ms",
    ]


def main() -> None:
    """Measure, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3000)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model, urls = recording(folder, images * 4)
        with LocalEndpoint({"regular": model}, production="regular", limits=Limits(queue=100_000)) as endpoint:
            warm(endpoint)
            print(client_row(endpoint, urls[:images], folder / "one", 1, 32))
            print(client_row(endpoint, urls, folder / "many", 16, 32))
            for row in latency_rows(endpoint, 300):
                print(row)


if __name__ == "__main__":
    main()
