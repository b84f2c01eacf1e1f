// An image with an answer drawn over it: zoom, pan, masks straight from their run lengths.

const HUES = [212, 28, 142, 340, 268, 52, 186, 8, 96, 304];

/** Colour of a label by its number, as [r, g, b]. */
export function colour(label) {
  const hue = HUES[label % HUES.length] + 13 * Math.floor(label / HUES.length);
  const [s, l] = [0.78, 0.5];
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

export class Viewer {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.image = null;
    this.items = [];
    this.marks = null; // beside another answer: place of an item -> "both", "label" or "only"
    this.shown = { score: 0, hidden: new Set(), masks: true, boxes: true, names: true, onlyDifferences: false };
    this.onMove = () => {};
    this.scale = 1;
    this.x = this.y = 0;
    this.layer = document.createElement("canvas");
    this.pending = false;
    new ResizeObserver(() => (this.fitted ? this.fit() : this.draw())).observe(canvas);
    this.#listen();
  }

  setImage(image) {
    this.image = image;
    this.items = [];
    this.layer.width = image.width;
    this.layer.height = image.height;
    this.fit();
  }

  /** Show an answer; `tones` gives the colour of a label by its name. */
  setAnswer(answer, tones) {
    this.marks = null;
    this.items = answer.items.map((item, place) => {
      const name = answer.labels[item.label];
      return { ...item, place, name, tone: tones(name) };
    });
    // weak ones first, so that strong ones lie on top
    this.items.sort((a, b) => (a.score ?? 1) - (b.score ?? 1));
    this.paint();
  }

  /** Say what of the answer another one has too: place of an item -> "both", "label" or "only". */
  setMarks(marks) {
    this.marks = marks;
    this.paint();
  }

  #mark(item) {
    return this.marks?.get(item.place) ?? "";
  }

  show(change) {
    Object.assign(this.shown, change);
    this.paint();
  }

  visible() {
    const { score, hidden, onlyDifferences } = this.shown;
    return this.items.filter((item) => (item.score ?? 1) >= score && !hidden.has(item.name)
      && !(onlyDifferences && this.#mark(item) === "both"));
  }

  /** Paint the masks into a layer of the image's size, run by run. */
  paint() {
    const { width, height } = this.layer;
    if (!this.image) return;
    const pixels = new ImageData(width, height);
    const words = new Uint32Array(pixels.data.buffer);
    if (this.shown.masks) {
      for (const item of this.visible()) {
        if (!item.runs || item.size[0] !== height || item.size[1] !== width) continue;
        const [r, g, b] = item.tone;
        const alpha = { both: 70, label: 150, only: 165 }[this.#mark(item)] ?? 125;
        const word = ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
        let place = 0;
        item.runs.forEach((run, index) => {
          if (index % 2) {
            // column-major: a run goes down its column, then on at the top of the next
            let column = Math.floor(place / height), row = place % height;
            for (let left = run; left > 0; left--) {
              words[row * width + column] = word;
              if (++row === height) { row = 0; column++; }
            }
          }
          place += run;
        });
      }
    }
    this.layer.getContext("2d").putImageData(pixels, 0, 0);
    this.draw();
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const paint = this.context;
    if (!this.image) return;
    paint.setTransform(ratio * this.scale, 0, 0, ratio * this.scale, ratio * this.x, ratio * this.y);
    paint.imageSmoothingEnabled = this.scale < 2;
    paint.drawImage(this.image, 0, 0);
    paint.imageSmoothingEnabled = false;
    paint.drawImage(this.layer, 0, 0);
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.shown.boxes) this.#drawBoxes(paint);
  }

  #drawBoxes(paint) {
    paint.font = "12px system-ui, sans-serif";
    paint.textBaseline = "bottom";
    for (const item of this.visible()) {
      if (item.score === null && item.runs) continue; // a semantic mask has no box of its own
      const [x, y, width, height] = item.box.map((value) => value * this.scale);
      const [left, top] = [x + this.x, y + this.y];
      const tone = `rgb(${item.tone.join(" ")})`, mark = this.#mark(item);
      paint.strokeStyle = tone;
      paint.lineWidth = mark === "only" || mark === "label" ? 3 : 1.5;
      paint.setLineDash(mark === "both" ? [3, 3] : mark === "label" ? [10, 4] : []);
      paint.strokeRect(left, top, width, height);
      paint.setLineDash([]);
      if (!this.shown.names || width < 28) continue;
      const text = ({ only: "+ ", label: "≠ " }[mark] ?? "") + item.name + (item.score === null ? "" : ` ${item.score.toFixed(2)}`);
      const length = paint.measureText(text).width + 8;
      paint.fillStyle = tone;
      paint.fillRect(left - 0.75, top - 16, length, 16);
      paint.fillStyle = "#fff";
      paint.fillText(text, left + 3, top - 1);
    }
  }

  fit() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!this.image || !clientWidth) return; // nothing to fit, or hidden
    this.scale = Math.min((clientWidth - 32) / this.image.width, (clientHeight - 40) / this.image.height);
    this.x = (clientWidth - this.image.width * this.scale) / 2;
    this.y = (clientHeight - this.image.height * this.scale) / 2 + 4;
    this.fitted = true;
    this.draw();
    this.onMove(this);
  }

  /** Look where another viewer does. */
  follow({ scale, x, y, fitted }) {
    Object.assign(this, { scale, x, y, fitted });
    this.draw();
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.min(Math.max(this.scale * factor, 0.02), 64);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.draw();
    this.onMove(this);
  }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.fitted = false;
    this.draw();
    this.onMove(this);
  }

  #listen() {
    const fingers = new Map();
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      if (fingers.size === 1) {
        this.pan(event.offsetX - last.offsetX, event.offsetY - last.offsetY);
      } else {
        const [other] = [...fingers.entries()].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
        const apart = (at) => Math.hypot(at.offsetX - other.offsetX, at.offsetY - other.offsetY) || 1;
        this.zoom(apart(event) / apart(last), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
      }
      fingers.set(event.pointerId, event);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => fingers.delete(event.pointerId));
    }
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
      if (moves[event.key]) this.pan(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoom(1.25);
      else if (event.key === "-") this.zoom(0.8);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    });
  }
}
