// Curves of joint angles over the last seconds, drawn a few times a second.

const SPAN_S = 20;
const GAP_S = 1; // a longer time without values interrupts the line
const DRAW_MS = 150;
const MIN_RANGE_DEG = 40; // smallest height of a chart, so that noise does not look like movement
const UNSURE = 0.4; // confidence below which a value is marked
const COLOURS = { left: '#1a6fd0', right: '#c2410c', middle: '#1b2a35' };
const FIRST = ['trunk_flexion', 'trunk_lateral_tilt', 'hip_flexion', 'knee_flexion', 'shoulder_elevation', 'elbow_flexion'];

export class Curves {
  constructor(holder, choices) {
    this.holder = holder;
    this.choices = choices;
    this.groups = [];
    this.times = [];
    this.values = [];
    this.newest = null;
    setInterval(() => this.draw(), DRAW_MS);
  }

  setNames({ names, displayed }) {
    const groups = new Map();
    names.forEach((name, index) => {
      const side = name.startsWith('left_') ? 'left' : name.startsWith('right_') ? 'right' : 'middle';
      const base = side === 'middle' ? name : name.slice(side.length + 1);
      const title = side === 'middle' ? displayed[index] : displayed[index].slice(side.length + 1);
      if (!groups.has(base)) groups.set(base, { base, title: title[0].toUpperCase() + title.slice(1), series: [] });
      groups.get(base).series.push({ side, index });
    });
    this.groups = [...groups.values()];
    this.holder.replaceChildren();
    this.choices.querySelectorAll('span').forEach((element) => element.remove());
    for (const group of this.groups) this.addGroup(group);
  }

  addGroup(group) {
    const figure = document.createElement('figure');
    figure.hidden = !FIRST.includes(group.base);
    const caption = document.createElement('figcaption');
    const title = document.createElement('span');
    title.textContent = group.title;
    group.value = document.createElement('span');
    group.value.className = 'value number';
    caption.append(title, group.value);
    group.canvas = document.createElement('canvas');
    group.canvas.setAttribute('role', 'img');
    group.canvas.setAttribute('aria-label', `${group.title}, curve of the last ${SPAN_S} seconds`);
    figure.append(caption, group.canvas);
    group.figure = figure;
    this.holder.append(figure);
    const choice = document.createElement('span');
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.id = `choice-${group.base}`;
    box.checked = !figure.hidden;
    box.addEventListener('change', () => { figure.hidden = !box.checked; });
    const label = document.createElement('label');
    label.htmlFor = box.id;
    label.textContent = group.title;
    choice.append(box, label);
    this.choices.append(choice);
  }

  add(part) {
    const time = part.stamp_ms / 1000;
    if (this.times.length && (time < this.times[this.times.length - 1] || time > this.times[this.times.length - 1] + SPAN_S)) {
      this.times = [];
      this.values = [];
    }
    if (this.times.length && time === this.times[this.times.length - 1]) return;
    this.times.push(time);
    this.values.push(part.degrees || null);
    while (this.times[0] < time - SPAN_S) { this.times.shift(); this.values.shift(); }
    this.newest = part;
    this.changed = true;
  }

  draw() {
    if (!this.changed) return;
    this.changed = false;
    for (const group of this.groups) {
      if (!group.figure.hidden) { this.drawGroup(group); this.writeValue(group); }
    }
  }

  writeValue(group) {
    group.value.replaceChildren();
    for (const { side, index } of group.series) {
      const degrees = this.newest.degrees ? this.newest.degrees[index] : null;
      const unsure = this.newest.confidence && this.newest.confidence[index] < UNSURE;
      const text = degrees === null ? '–' : `${Math.round(degrees)}°${unsure ? ' ?' : ''}`;
      const element = document.createElement('span');
      element.className = side;
      element.textContent = `${side === 'middle' ? '' : `${side} `}${text} `;
      group.value.append(element);
    }
  }

  drawGroup(group) {
    const { canvas } = group;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const context = canvas.getContext('2d');
    context.clearRect(0, 0, width, height);
    let low = Infinity, high = -Infinity;
    for (const values of this.values) {
      if (!values) continue;
      for (const { index } of group.series) {
        const value = values[index];
        if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
      }
    }
    if (low > high) return;
    const missing = Math.max(0, MIN_RANGE_DEG - (high - low)) / 2;
    low -= missing + 3; high += missing + 3;
    const y = (value) => height * (1 - (value - low) / (high - low));
    const left = 30 * ratio;
    const now = this.times[this.times.length - 1];
    const x = (time) => left + (width - left) * (1 - (now - time) / SPAN_S);
    const step = [10, 20, 30, 45, 90, 180].find((size) => (high - low) / size <= 4) || 360;
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    context.lineWidth = ratio;
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      context.strokeStyle = value === 0 ? '#9fb0bc' : '#e0e6eb';
      context.beginPath(); context.moveTo(left, y(value)); context.lineTo(width, y(value)); context.stroke();
      context.fillStyle = '#4a5b68';
      context.fillText(`${value}°`, 2 * ratio, Math.min(Math.max(y(value), 6 * ratio), height - 6 * ratio));
    }
    for (const { side, index } of group.series) {
      context.strokeStyle = COLOURS[side];
      context.lineWidth = 2 * ratio;
      context.setLineDash(side === 'right' ? [5 * ratio, 3 * ratio] : []);
      context.beginPath();
      let drawing = false;
      this.times.forEach((time, place) => {
        const value = this.values[place] ? this.values[place][index] : null;
        if (value === null) { drawing = false; return; }
        if (place && time - this.times[place - 1] > GAP_S) drawing = false;
        if (drawing) context.lineTo(x(time), y(value)); else context.moveTo(x(time), y(value));
        drawing = true;
      });
      context.stroke();
    }
    context.setLineDash([]);
  }
}
