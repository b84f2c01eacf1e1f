// The page: an image and a version are chosen, the answer is shown. What comes from outside is set as text, never HTML.

import * as api from "/playground/api.js";
import { Viewer, colour } from "/playground/viewer.js";

const $ = (id) => document.getElementById(id);
// One side, or two beside each other: what a version answered, and where it is shown.
const sides = [["version", "view", "caption"], ["other", "view-other", "caption-other"]].map(([choice, view, caption]) => (
  { choice: $(choice), canvas: $(view), caption: $(caption), viewer: new Viewer($(view)), answer: null }
));
const [first, second] = sides;
const SHOWN_TEXT = 200_000;

const state = { url: "", name: "", tab: "json", asking: null };

first.viewer.onMove = (viewer) => second.viewer.follow(viewer);
second.viewer.onMove = (viewer) => first.viewer.follow(viewer);

// A label has one colour in all answers: the next free one when its name is first met.
const met = new Map();
function tone(name) {
  if (!met.has(name)) met.set(name, met.size);
  return colour(met.get(name));
}

const asked = () => (second.choice.value ? sides : [first]);

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function complain(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) {
    $("key-form").hidden = false;
    $("key").focus();
    say("This endpoint needs its API key.", true);
    return;
  }
  say(error.message, true);
}

// --- choosing --------------------------------------------------------------------------------------

async function start() {
  try {
    const listed = await api.endpoints();
    const options = () => listed.map(({ name, bundle_name: version, metadata }) => (
      option(name, metadata.production ? `${name} (${version})` : name)
    ));
    $("version").replaceChildren(...options());
    $("other").replaceChildren(option("", "no other"), ...options());
    $("key-form").hidden = true;
    const samples = await api.samples();
    $("samples").replaceChildren(...samples.map(sampleButton));
  } catch (error) {
    complain(error);
  }
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function sampleButton({ name, url }) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = name;
  button.setAttribute("aria-label", `Sample ${name}`);
  button.setAttribute("aria-pressed", "false");
  const picture = document.createElement("img");
  picture.alt = "";
  button.append(picture);
  api.sample(name).then((blob) => { picture.src = URL.createObjectURL(blob); }).catch(complain);
  button.addEventListener("click", async () => {
    try {
      await choose(name, await api.sample(name), url);
      mark(button);
    } catch (error) {
      complain(error);
    }
  });
  return button;
}

function mark(chosen) {
  for (const button of $("samples").children) button.setAttribute("aria-pressed", String(button === chosen));
}

async function openFile(file) {
  if (!file) return;
  mark(null);
  say(`Uploading ${file.name}…`);
  try {
    const { url } = await api.upload(file, new AbortController().signal);
    await choose(file.name, file, url);
  } catch (error) {
    complain(error);
  }
}

async function choose(name, blob, url) {
  // pixels as they are stored, whatever a camera says of its rotation: so does the endpoint read them
  const image = await createImageBitmap(blob, { imageOrientation: "none" });
  Object.assign(state, { name, url });
  $("hint").hidden = true;
  Object.assign(state, { image, size: `${image.width} by ${image.height} pixels` });
  for (const side of sides) side.viewer.setImage(image);
  await ask();
}

// --- asking ----------------------------------------------------------------------------------------

async function ask() {
  const two = asked().length === 2;
  $("beside").hidden = $("caption").hidden = $("difference").hidden = !two;
  for (const { viewer } of sides) viewer.fit();
  if (!state.url) return;
  state.asking?.abort();
  const asking = (state.asking = new AbortController());
  for (const side of sides) {
    Object.assign(side, { task: "", result: "", answer: null, version: side.choice.value });
    side.caption.textContent = side.version;
    side.viewer.setAnswer({ labels: [], items: [] }, tone);
  }
  state.differences = null;
  showAnswer();
  say(`Asking ${asked().map(({ version }) => version).join(" and ")}…`);
  try {
    await Promise.all(asked().map((side) => askSide(side, asking.signal)));
    if (two) await compare(asking.signal);
    showAnswer();
  } catch (error) {
    if (state.asking === asking) complain(error);
  }
}

async function askSide(side, signal) {
  const { task, result, took } = await api.ask(side.version, state.url, signal);
  const answer = await api.drawing(task, signal);
  Object.assign(side, { task, result, answer, took });
  side.viewer.setAnswer(answer, tone);
}

/** Mark in each answer what the other one has too. */
async function compare(signal) {
  const found = await api.differences(first.task, second.task, signal);
  const marks = [new Map(), new Map()];
  for (const { left, right, same_label: same } of found.pairs) {
    marks[0].set(left, same ? "both" : "label");
    marks[1].set(right, same ? "both" : "label");
  }
  for (const place of found.only_left) marks[0].set(place, "only");
  for (const place of found.only_right) marks[1].set(place, "only");
  sides.forEach((side, place) => side.viewer.setMarks(marks[place]));
  state.differences = found;
}

function showAnswer() {
  const counts = new Map();
  for (const { viewer } of sides) {
    viewer.shown.hidden.clear();
    for (const { name } of viewer.items) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  $("labels").replaceChildren($("labels").firstElementChild, ...[...counts].map(([name, count]) => labelBox(name, count)));
  const downloads = asked().flatMap((side) => (side.answer?.downloads ?? []).map((kind) => downloadButton(side, kind)));
  $("downloads").replaceChildren(...downloads);
  showCount();
  showText();
}

function labelBox(name, count) {
  const box = document.createElement("label");
  const check = document.createElement("input");
  check.type = "checkbox";
  check.checked = true;
  check.addEventListener("change", () => {
    for (const { viewer } of sides) {
      viewer.shown.hidden[check.checked ? "delete" : "add"](name);
      viewer.paint();
    }
    showCount();
  });
  const swatch = document.createElement("canvas");
  swatch.width = swatch.height = 1;
  const paint = swatch.getContext("2d");
  paint.fillStyle = `rgb(${tone(name).join(" ")})`;
  paint.fillRect(0, 0, 1, 1);
  const number = document.createElement("span");
  number.textContent = count;
  box.append(check, swatch, name, number);
  return box;
}

function showCount() {
  const answered = asked().filter(({ answer }) => answer);
  if (answered.length < asked().length) return;
  const counted = answered.map(({ viewer, version, took }) => {
    const total = viewer.items.length, seen = viewer.visible().length;
    return `${seen === total ? total : `${seen} of ${total}`} found by ${version} in ${Math.round(took)} ms`;
  });
  if (state.differences) {
    const { pairs, only_left: left, only_right: right } = state.differences;
    const changed = pairs.filter(({ same_label: same }) => !same).length;
    counted.push(`${pairs.length} in both${changed ? ` (${changed} with another label)` : ""}, ${left.length} only in `
      + `${first.version}, ${right.length} only in ${second.version}`);
  }
  say(`${state.name}: ${counted.join("; ")}`);
  for (const { canvas, viewer, version } of answered) {
    canvas.setAttribute("aria-label", `${state.name}, ${state.size}, ${viewer.visible().length} found by ${version}`);
  }
}

function downloadButton(side, kind) {
  const names = { coco: "COCO", rle: "RLE", geojson: "GeoJSON" };
  const endings = { coco: "json", rle: "jsonl", geojson: "geojson" };
  const button = document.createElement("button");
  button.type = "button";
  const of = asked().length === 2 ? ` of ${side.version}` : "";
  button.textContent = `↓ ${names[kind]}${of}`;
  button.setAttribute("aria-label", `Download as ${names[kind]}${of}`);
  button.addEventListener("click", async () => {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await api.download(side.task, kind));
      link.download = `answer-${kind}.${endings[kind]}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      complain(error);
    }
  });
  return button;
}

// --- texts -----------------------------------------------------------------------------------------

function text() {
  const base = `${location.origin}/v1/hosted_inference`;
  const name = $("version").value;
  const url = state.url || "IMAGE_URL";
  if (state.tab === "curl") {
    const body = JSON.stringify(api.body(url)).replaceAll("'", "'\\''");
    return `curl -u "$SCALE_API_KEY:" '${base}/task_async/${name}' \\\n  -d '${body}'\n\n`
      + `curl -u "$SCALE_API_KEY:" '${base}/endpoints/${name}/task_async/${first.task || "TASK_ID"}'\n`;
  }
  if (state.tab === "python") {
    return `from rapideval.endpoint.prediction import predict\n\n`
      + `# the key comes from the environment variable SCALE_API_KEY\n`
      + `with predict(${JSON.stringify(url)}, ${JSON.stringify(name)}, "run",\n`
      + `             base_url=${JSON.stringify(base)}) as results:\n`
      + `    print(results.dataset())\n`;
  }
  return asked().length === 2 ? asked().map(({ version, result }) => `${version}: ${result}`).join("\n\n") : first.result;
}

// Rows of a bitmask, one after another: shown as how many there are.
const ROWS = /\[[01](?:,[01])*\](?:,\[[01](?:,[01])*\])+/g;

/** JSON as people can read it: each bitmask by its size. */
function brief(result) {
  return result.replace(ROWS, (rows) => {
    const width = (rows.indexOf("]")) / 2, height = rows.split("]").length - 1;
    return rows.length < 80 ? rows : `… ${height} × ${width} bits …`;
  });
}

function showText() {
  const whole = state.tab === "json" ? brief(text() ?? "") : text();
  const cut = whole.length > SHOWN_TEXT;
  $("text").textContent = cut ? `${whole.slice(0, SHOWN_TEXT)}\n… ${whole.length.toLocaleString()} characters: Copy takes all` : whole;
}

function choseTab(name) {
  state.tab = name;
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  $("text").setAttribute("aria-labelledby", `tab-${name}`);
  showText();
}

// --- events ----------------------------------------------------------------------------------------

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  api.setKey($("key").value);
  $("key").value = "";
  say("Choose an image.");
  start();
});
for (const { choice } of sides) choice.addEventListener("change", ask);
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => openFile($("file").files[0]));
$("drop").addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
$("drop").addEventListener("dragleave", () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  openFile(event.dataTransfer.files[0]);
});
$("score").addEventListener("input", () => {
  const score = Number($("score").value);
  $("score-value").textContent = score.toFixed(2);
  for (const { viewer } of sides) viewer.show({ score });
  showCount();
});
$("only-differences").addEventListener("change", (event) => {
  for (const { viewer } of sides) viewer.show({ onlyDifferences: event.target.checked });
  showCount();
});
for (const kind of ["masks", "boxes", "names"]) {
  $(`show-${kind}`).addEventListener("change", (event) => {
    for (const { viewer } of sides) viewer.show({ [kind]: event.target.checked });
  });
}
$("fit").addEventListener("click", () => first.viewer.fit());
$("larger").addEventListener("click", () => first.viewer.zoom(1.25));
$("smaller").addEventListener("click", () => first.viewer.zoom(0.8));
const tabs = ["json", "curl", "python"];
tabs.forEach((name, place) => {
  $(`tab-${name}`).addEventListener("click", () => choseTab(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(place + step + tabs.length) % tabs.length];
    choseTab(next);
    $(`tab-${next}`).focus();
  });
});
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(text());
  $("copy").textContent = "Copied";
  setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
});

if (!api.findKey()) $("key-form").hidden = false;
start();
