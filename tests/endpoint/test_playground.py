"""The playground works in a browser: choose, upload, slide, download; nothing from outside is HTML."""

from __future__ import annotations

import json
import re
import shutil
import time

import httpx
import pytest
from PIL import Image

from rapideval import read
from rapideval.endpoint.local import LocalEndpoint
from rapideval.endpoint.samples import images

from .conftest import SERVED, connect

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def local():
    models = {
        "v1": "builtin:v1/instance",
        "v2": "builtin:v2/detection",
        "v2-masks": "builtin:v2/instance",
        "hostile": "served_models:hostile",
        "raises": "served_models:raises",
    }
    with LocalEndpoint(models, path=(str(SERVED),)) as running:
        yield running


@pytest.fixture
def page(local):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(accept_downloads=True)
        said: list[str] = []
        opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto(f"{local.url}/#key={local.key.reveal()}")
        opened.expect = lambda selector: playwright.expect(opened.locator(selector))
        yield opened
        browser.close()
        assert said == []


def test_a_sample_is_answered_drawn_and_downloaded(page, local):
    page.click("#samples button >> nth=0")
    page.expect("#status").to_contain_text("2 found by v1", timeout=30_000)
    assert "key=" not in page.url
    page.expect("#text").to_contain_text("bits …")
    page.expect("#labels label").to_have_count(1)
    drawn = "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let s = 0;"
    drawn += " for (let i = 0; i < d.length; i += 4) if (d[i + 2] > d[i] + 40) s++; return s; }"
    blue = page.locator("#view").evaluate(drawn)
    assert blue > 1000
    page.locator("#score").fill("0.5")
    page.expect("#status").to_contain_text("1 of 2 found")
    page.uncheck("#labels input")
    page.expect("#status").to_contain_text("0 of 2 found")
    page.check("#labels input")
    page.locator("#score").fill("0")
    page.wait_for_timeout(100)
    page.uncheck("#show-masks")
    page.wait_for_timeout(200)
    assert page.locator("#view").evaluate(drawn) < blue / 4
    with page.expect_download() as download:
        page.click("button[aria-label='Download as COCO']")
    assert len(json.loads(download.value.path().read_text())) == 2
    page.select_option("#version", "v2")
    page.expect("#status").to_contain_text("found by v2", timeout=30_000)


def test_an_image_is_uploaded_and_the_request_can_be_copied(page, tmp_path):
    name = "<img src=x onerror=alert(1)>.png"
    Image.open(images()[0]).save(tmp_path / name)
    page.expect("#version option").not_to_have_count(0)
    page.set_input_files("#file", tmp_path / name)
    page.expect("#status").to_contain_text(f"{name}: 2 found", timeout=30_000)
    page.click("#tab-curl")
    page.expect("#text").to_contain_text('curl -u "$SCALE_API_KEY:"')
    page.expect("#text").to_contain_text("upload://")
    page.keyboard.press("ArrowRight")
    page.expect("#tab-python").to_have_attribute("aria-selected", "true")
    page.expect("#text").to_contain_text("from rapideval.endpoint.prediction import predict")


def test_two_versions_stand_beside_each_other_with_their_differences(page, local):
    page.click("button[aria-label='Sample page-03.png']")
    page.expect("#status").to_contain_text("3 found by v1", timeout=30_000)
    page.expect("#beside").to_be_hidden()
    page.select_option("#other", "v2-masks")
    page.expect("#status").to_contain_text("2 in both, 1 only in v1, 1 only in v2-masks", timeout=30_000)
    page.expect("#view-other").to_have_attribute("aria-label", re.compile("3 found by v2-masks"))
    page.check("#only-differences")
    page.expect("#status").to_contain_text("1 of 3 found by v1")
    before = page.locator("#view-other").evaluate("c => c.toDataURL()")
    page.focus("#view")
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert page.locator("#view-other").evaluate("c => c.toDataURL()") != before
    with page.expect_download() as download:
        page.click("button[aria-label='Download as GeoJSON of v2-masks']")
    assert len(read(download.value.path().read_bytes(), "geojson")) == 3
    page.select_option("#other", "")
    page.expect("#status").to_contain_text("3 found by v1", timeout=30_000)
    page.expect("#difference").to_be_hidden()


def test_differences_of_two_answers_are_those_of_the_matcher(local):
    def ask(http, version):
        body = {"args": {"image_url": "sample://page-03.png"}}
        task = http.post(f"/v1/hosted_inference/task_async/{version}", json=body).json()["task_id"]
        while http.get(f"/v1/hosted_inference/task/result/{task}").json()["state"] == "PENDING":
            time.sleep(0.02)
        return task

    with connect(local) as http:
        left, right = ask(http, "v1"), ask(http, "v2-masks")
        found = http.get(f"/tasks/{left}/differences/{right}").json()
        same = http.get(f"/tasks/{left}/differences/{left}").json()
        missing = http.get(f"/tasks/{left}/differences/nothing")
    assert len(found["pairs"]) == 2
    assert all(pair["same_label"] and 0.5 <= pair["iou"] < 1 for pair in found["pairs"])
    assert [pair["iou"] for pair in same["pairs"]] == [1, 1, 1]
    assert missing.status_code == 404


def test_labels_and_tracebacks_are_text(page):
    page.expect("#version option").not_to_have_count(0)
    page.select_option("#version", "hostile")
    page.click("#samples button >> nth=1")
    page.expect("#labels").to_contain_text("<b>bold</b><script>alert(1)</script>", timeout=30_000)
    assert page.locator("#labels b, #labels script").count() == 0
    page.select_option("#version", "raises")
    page.expect("#status").to_contain_text("RuntimeError: the model is tired", timeout=30_000)


def test_the_keyboard_zooms_and_pans(page):
    page.click("#samples button >> nth=0")
    page.expect("#status").to_contain_text("found", timeout=30_000)
    page.focus("#view")
    before = page.locator("#view").evaluate("c => c.toDataURL()")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(200)
    assert page.locator("#view").evaluate("c => c.toDataURL()") != before
    page.keyboard.press("0")
    page.wait_for_timeout(200)
    assert page.locator("#view").evaluate("c => c.toDataURL()") == before


def test_on_a_phone_nothing_is_wider_than_the_screen(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.click("#samples button >> nth=0")
    page.expect("#status").to_contain_text("found", timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# --- what the page stands on ---------------------------------------------------------------------


def test_the_page_is_public_and_bound_to_its_own_host(local):
    answer = httpx.get(local.url + "/playground", trust_env=False)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for file in ("main.js", "viewer.js", "api.js", "style.css", "icon.svg", "index.html"):
        text = httpx.get(f"{local.url}/playground/{file}", trust_env=False).text.replace(
            "http://www.w3.org/2000/svg", ""
        )
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text


@pytest.mark.parametrize("path", ["/samples", "/samples/coins-01.png", "/tasks/x/drawing", "/tasks/x/download/coco"])
def test_the_rest_needs_the_key(local, path):
    assert httpx.get(local.url + path, trust_env=False).status_code == 401
    assert httpx.post(local.url + "/uploads", content=b"", trust_env=False).status_code == 401


@pytest.mark.parametrize(
    "path", ["/playground/nothing.js", "/playground/..%2f__init__.py", "/samples/..%2f..%2fx", "/tasks/x/drawing"]
)
def test_what_is_not_there_is_404(local, path):
    with connect(local) as http:
        assert http.get(path).status_code == 404


@pytest.mark.parametrize("content", [b"", b"not a picture", b"<svg onload=alert(1)>"])
def test_an_upload_that_is_no_image_is_refused(local, content):
    with connect(local) as http:
        answer = http.post("/uploads", content=content)
    assert answer.status_code == 422
    assert "image-format" in answer.json()["detail"][0]["msg"]
