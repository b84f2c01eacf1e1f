"""Other people's clients work against the local endpoint: scale-launch 0.3.3 and curl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import result

# The loop of the endpoints' documentation, and the client's own way.
LAUNCH = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
from launch import LaunchClient
from launch.model_endpoint import EndpointRequest

client = LaunchClient(api_key=sys.argv[2], endpoint=sys.argv[1])
args = {"images": [[[[10, 20, 30]]]]}
task_id = client.async_request("size", args=args, return_pickled=False)
result = {}
while result.get("state", None) not in ["SUCCESS", "FAILURE"]:
    result = client.get_async_response(task_id)
    time.sleep(0.5)
endpoint = client.get_model_endpoint("size")
response = endpoint.predict(request=EndpointRequest(args=args, return_pickled=False)).get()
failed = client.get_model_endpoint("raises")
failure = failed.predict(request=EndpointRequest(args=args, return_pickled=False)).get()
print(json.dumps({
    "loop": result,
    "names": [item.model_endpoint.name for item in client.list_model_endpoints()],
    "get": [response.status, response.result],
    "failure": [failure.status, failure.traceback],
}))
"""


@pytest.fixture(scope="session")
def launch_python(tmp_path_factory):
    """A Python with scale-launch 0.3.3, in an environment of its own: it needs an old setuptools."""
    given = os.environ.get("RAPIDEVAL_LAUNCH_PYTHON")
    if given:
        return given
    folder = tmp_path_factory.mktemp("launch")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    packages = ["--only-binary", ":all:", "scale-launch==0.3.3", "setuptools<82"]
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"scale-launch 0.3.3 cannot be installed: {installed.stderr.strip()[-300:]}")
    return str(python)


def test_scale_launch_runs_the_documented_loop_and_its_own(launch_python, endpoint):
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONPATH": ""}
    ran = subprocess.run(
        [launch_python, "-c", LAUNCH, endpoint.v0_url, endpoint.key.reveal()],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    expected = [{"boxes": [[0, 0, 1, 1]], "scores": [20 / 255], "labels": ["image"]}]
    assert result(told["loop"]) == expected
    assert told["get"][0] == "SUCCESS"
    assert json.loads(told["get"][1]) == expected
    assert {"size", "production"} <= set(told["names"])
    assert told["failure"][0] == "FAILURE"
    assert "the model is tired" in told["failure"][1]


def test_curl_runs_the_two_documented_requests(endpoint, tmp_path):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    config = tmp_path / "curl"  # the key stays off the command line
    Path(config).write_text(f'user = "{endpoint.key.reveal()}:"\nsilent\nshow-error\nnoproxy = "127.0.0.1"\n')

    def run(*args):
        done = subprocess.run([curl, "--config", str(config), *args], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    body = '{"args": {"images": [[[[10, 20, 30]]]]}, "return_pickled": false}'
    task_id = run(f"{endpoint.v0_url}/task_async/size", "--data", body)["task_id"]
    ends = time.monotonic() + 20
    while (answer := run(f"{endpoint.v0_url}/endpoints/size/task_async/{task_id}"))["state"] == "PENDING":
        assert time.monotonic() < ends
        time.sleep(0.1)
    assert result(answer)[0]["labels"] == ["image"]
