"""The page of a verdict: complete in itself, its numbers those of the result, nothing of an input is HTML in it."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest
from helpers.versions import detector, holdout, label_maps, segmenter
from msgspec import structs

from rapideval import Annotations, Dataset, Images, Labels, evaluate
from rapideval.judge import Policy, compare, gate
from rapideval.judge.changes import image_changes, lost_and_gained
from rapideval.judge.policy import TEMPLATE

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

from rapideval.report.html import Evidence, Photographs, charts_of, report_page
from rapideval.report.html.pictures import pictures
from rapideval.report.html.pixels import compared_pixels
from rapideval.report.verdicts import chart_images, comparison_markdown, gate_markdown

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = '<img src=x onerror="alert(1)">'


def named(data, labels, images):
    return Dataset(Images(images, sizes=data.images.sizes), Labels(labels), data.annotations)


@pytest.fixture(scope="module")
def made():
    """Two versions whose labels and images have names that would be HTML."""
    truth = holdout(60, labels=3, seed=2)
    labels = ["cat", HOSTILE, "dog & <b>bird</b>"]
    images = [f"{HOSTILE}{n}.jpg" for n in range(60)]
    truth, *found = [
        named(data, labels, images) for data in (truth, detector(truth, 1), detector(truth, 2, recall=0.5, spurious=3))
    ]
    return [evaluate(truth, one) for one in found]


@pytest.fixture(scope="module")
def evidence(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("policy") / "gate.toml"
    path.write_text(TEMPLATE)
    result = gate(*made, Policy.read(path))
    return Evidence(compare(*made, draws=200, slices=["size:medium"]), *made, result)


@pytest.fixture(scope="module")
def content(evidence):
    return report_page(evidence)


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)


def read(content):
    reader = Reader()
    reader.feed(content)
    return reader


def test_the_verdict_comes_first_and_every_outcome_is_there(evidence, content):
    main = content[content.index("<main") :]
    assert main.index(evidence.gate.verdict.upper()) < main.index("Metrics over all labels")
    rows = content[content.index('id="rules-table"') :].split("</table>")[0]
    assert rows.count("<tr>") == len(evidence.gate.outcomes) + 1


def test_the_numbers_are_those_of_the_result(evidence, content):
    table = content[content.index('id="metrics-table"') :].split("</table>")[0]
    for one in evidence.comparison.differences:
        if one.label is None and one.slice is None and one.difference == one.difference:
            assert f'data-value="{one.difference}"' in table
            assert f'data-value="{one.candidate}"' in table


def test_names_from_an_input_are_text(content):
    reader = read(content)
    assert "img" not in reader.tags
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert any(HOSTILE in text for text in reader.text)
    assert "<b>bird" not in content


def test_nothing_is_asked_of_a_network_and_no_style_or_script_but_its_own(content):
    reader = read(content)
    assert not [a for a in reader.attributes if a[1] in ("src", "srcset", "style")]
    links = [value for tag, name, value in reader.attributes if name in ("href", "xlink:href")]
    assert all(link.startswith(("#", "data:")) for link in links)
    policy = {name: value for tag, name, value in reader.attributes if tag == "meta"}["content"]
    assert "Content-Security-Policy" in content
    assert "unsafe" not in content.split("<style>")[0]
    assert policy


def test_the_same_evidence_gives_the_same_bytes(evidence, content):
    assert report_page(evidence) == content


def test_headings_tables_and_pictures_are_told_to_those_who_do_not_see_them(content):
    reader = read(content)
    assert reader.tags.count("h1") == 1
    assert reader.tags.count("caption") >= 5
    svgs = re.findall(r"<svg[^>]*>", content)
    assert all('aria-label="' in svg or "aria-hidden" in svg for svg in svgs)
    inputs = [value for tag, name, value in reader.attributes if tag in ("input", "select") and name == "id"]
    assert all(f'for="{name}"' in content for name in inputs)


def test_a_comparison_alone_and_saved_evaluations_have_a_page_too(made, tmp_path):
    loaded = []
    for place, evaluation in enumerate(made):
        evaluation.save(tmp_path / f"{place}.parquet")
        loaded.append(type(evaluation).load(tmp_path / f"{place}.parquet"))
    content = report_page(Evidence(compare(*loaded, draws=200), *loaded))
    assert "No policy was held" in content
    assert "need ground truth and predictions themselves" in content
    assert 'id="pictures"' not in content


def test_pixels_have_a_page_of_what_there_is(tmp_path):
    truth = label_maps(20)
    versions = [evaluate(truth, label_maps(20, seed=seed), "semantic") for seed in (0, 1)]
    content = report_page(Evidence(compare(*versions, draws=200), *versions))
    assert "mIoU" in content
    assert 'id="curves"' not in content
    matrices = content[content.index('id="confusion"') :].split("</section>")[0].split("<figcaption>")[1:]
    for one, drawn in zip(versions, matrices, strict=True):
        counts = [int(n.replace(",", "")) for n in re.findall(r"<td[^>]*>([0-9,]+)</td>", drawn)]
        assert counts == [n for n in one.matches.confusion.ravel().tolist() if n]


@pytest.mark.parametrize("unlabelled", ["background", "ignore"])
def test_pictures_of_pixels_show_the_pixels_that_are_counted(unlabelled):
    truth = label_maps(20)
    rows = truth.annotations
    truth = truth.replace(
        annotations=rows.replace(crowd=np.arange(len(rows)) % 7 == 0).take(np.arange(len(rows)) % 5 != 0)
    )
    versions = [evaluate(truth, segmenter(truth, 1, right), "semantic", unlabelled=unlabelled) for right in (0.9, 0.6)]
    for one in versions:
        places = len(one.labels) + 1
        counts = np.zeros((places, places), np.int64)
        for place in range(len(one.images)):
            there, found = compared_pixels(one, place)
            compared = there >= 0
            np.add.at(counts, (there[compared], found[compared]), 1)
        assert (counts == one.matches.confusion).all()
    result = compare(*versions, draws=200)
    content = report_page(Evidence(result, *versions))
    drawn = content[content.index('id="pictures-list"') :].split("</section>")[0]
    assert drawn.count("<article>") == min(12, sum(change.balance > 0 for change in result.changes))
    assert re.search(r"<title>lost: label \d, taken for background</title>", drawn)
    assert '<g class="lost">' not in drawn.split("<p>candidate</p>")[0]
    assert "mean IoU −" in drawn


def test_urls_are_linked_and_never_loaded(evidence, tmp_path):
    listed = tmp_path / "urls.txt"
    listed.write_text("\n".join(f"https://host.example/{name}" for name in evidence.baseline.images.keys))
    content = report_page(evidence._replace(photographs=Photographs.of(listed)))
    assert 'href="https://host.example/' in content
    assert "<image" not in content


def test_pictures_mark_what_was_lost_and_say_how_many_are_left_out(made, evidence, content):
    drawn = content[content.index('id="pictures-list"') :].split("</section>")[0]
    worse = [one for one in evidence.comparison.changes if one.balance > 0]
    assert drawn.count("<article>") == 12
    assert drawn.count('<g class="lost">') == sum(one.lost for one in worse[:12]) > 0
    baseline = [half.split("<p>candidate</p>")[0] for half in drawn.split("<p>baseline</p>")[1:]]
    assert not any('<g class="lost">' in half or '<g class="new">' in half for half in baseline)
    assert f"{len(worse) - 12} more are listed under Images" in content
    fewer = evidence._replace(comparison=structs.replace(evidence.comparison, changes=worse[:12]))
    assert "listed under Images" not in report_page(fewer)


def test_a_false_positive_is_new_where_the_baseline_has_none_of_its_label():
    def side(rows):
        data = Dataset(
            Images(["a"], sizes=[[100, 100]]),
            Labels(["cat", "dog"]),
            Annotations([0] * len(rows), [r[0] for r in rows], [r[1] for r in rows], [0.9] * len(rows)),
        )
        return evaluate(Dataset(data.images, data.labels, Annotations([0], [0], [[80, 80, 15, 15]])), data)

    versions = side([(0, [0, 0, 20, 20])]), side([(0, [1, 0, 20, 20]), (1, [0, 0, 20, 20]), (0, [50, 50, 20, 20])])
    drawn = pictures(versions, image_changes(*versions), Photographs())
    new = re.findall(r'<g class="new">.*?<title>(.*?)</title>', drawn)
    assert sorted(new) == ["new: cat 0.90", "new: dog 0.90"]
    assert drawn.count('<g class="wrong">') == 2  # the baseline's, and the candidate's where it had one too


def test_lost_objects_are_those_of_the_changes_by_image(made):
    lost, gained = lost_and_gained(*made)
    changes = image_changes(*made)
    assert (lost.sum(), gained.sum()) == (sum(c.lost for c in changes), sum(c.gained for c in changes))
    assert not (lost & gained).any()


def _luminance(ink):
    channels = [int(ink[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_inks_are_legible_on_light_and_dark():
    """WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    style = files("rapideval.report.html").joinpath("style.css").read_text("utf-8")
    papers = [
        dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", part)) for part in re.findall(r"\{ (--paper.*?)\}", style, re.S)
    ]
    assert len(papers) == 3  # light; dark by choice and by the system, which are alike
    assert papers[1] == papers[2]
    for inks in papers[:2]:
        for names, least in (
            ("ink soft accent good bad doubt", 4.5),
            ("baseline candidate found wrong missed lost", 3),
        ):
            for name in names.split():
                for ground in ("paper", "card"):
                    pair = sorted((_luminance(inks[name]), _luminance(inks[ground])))
                    assert (pair[1] + 0.05) / (pair[0] + 0.05) >= least, (name, ground)


def test_charts_are_shown_in_markdown(evidence):
    charts = chart_images(["report.html", "out dir/charts/precision-recall.svg"], "out dir")
    assert charts == ["charts/precision-recall.svg"]
    image = "![precision recall](charts/a%20b/precision-recall.svg)"
    for text, result in ((gate_markdown, evidence.gate), (comparison_markdown, evidence.comparison)):
        assert image in text(result, ["charts/a b/precision-recall.svg"])
        assert "![" not in text(result)


def test_charts_are_files_for_markdown(evidence):
    from rapideval.report.charts import chart_svg

    names = [chart.name for chart in charts_of(evidence)]
    assert names == ["differences-AP", "precision-recall", "reliability", "causes"]
    assert all(chart_svg(chart.chart).startswith("<svg") for chart in charts_of(evidence))


@pytest.fixture
def opened(content, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip("there is no chromium on this machine")
    path = tmp_path / "report.html"
    path.write_text(content)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        yield page
        browser.close()
        assert said == []
        assert all(url.startswith(("file:", "data:")) for url in asked)


def test_tables_sort_and_filter_in_a_browser(opened):
    heads = opened.locator("#metrics-table th button")
    column = "td:nth-child(4)"
    heads.nth(3).click()
    values = opened.locator(f"#metrics-table {column}").evaluate_all("cells => cells.map((c) => c.dataset.value)")
    numbers = [float(value) for value in values if value]
    assert numbers == sorted(numbers)
    assert values[len(numbers) :] == [""] * (len(values) - len(numbers))  # undefined ones last
    heads.nth(3).focus()
    opened.keyboard.press("Enter")
    assert opened.locator("#metrics-table th").nth(3).get_attribute("aria-sort") == "descending"
    opened.locator("#images-table-filter").fill("lost-nothing-of-this-name")
    assert opened.locator("#images-table-count").text_content().startswith("0 of")


def test_curves_are_chosen_and_layers_switched_off(opened):
    assert opened.locator("figure[data-of=curves]:visible").count() == 1
    opened.select_option("#curves-select", "1")
    assert opened.locator("figure[data-of=curves]:visible").get_attribute("data-name") == "1"
    assert opened.locator("#pictures-list g.found:visible").count() > 0
    opened.uncheck("input[data-layer=found]")
    assert opened.locator("#pictures-list g.found:visible").count() == 0
    before = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    opened.click("#theme")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_on_paper_columns_keep_their_heads_and_inks_are_dark(opened):
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.locator("#metrics-table th button").first.is_visible()
    assert opened.locator("#theme").is_hidden()
    assert opened.evaluate("getComputedStyle(document.body).color") == "rgb(27, 33, 38)"


def test_on_a_phone_nothing_is_wider_than_the_screen(opened):
    opened.set_viewport_size({"width": 390, "height": 844})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
