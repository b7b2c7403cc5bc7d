// The websocket with state and commands: decodes messages, acknowledges them, connects again, and tells when data are old.

const STALE_MS = 2000; // without a new frame for this long the page says so
const RETRY_MS = [500, 1000, 2000, 4000];

export class Connection {
  // receive(parts): parts by name, each with its content and, where it has one, its payload as a Uint8Array.
  constructor(show, receive) {
    this.show = show;
    this.receive = receive;
    this.attempt = 0;
    this.opened = false;
    this.frameAt = 0;
    this.openedAt = 0;
    this.player = null;
    this.banner = document.getElementById('stale');
    this.open();
    setInterval(() => this.check(), 250);
  }

  open() {
    this.socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/state`);
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('open', () => { this.opened = true; this.openedAt = performance.now(); this.attempt = 0; this.send({ show: this.show }); });
    this.socket.addEventListener('message', (event) => this.take(event.data));
    this.socket.addEventListener('close', () => {
      this.opened = false;
      setTimeout(() => this.open(), RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)]);
    });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  setShow(show) {
    this.show = show;
    this.send({ show });
  }

  take(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const { number, parts } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    for (const part of Object.values(parts)) {
      if (part.payload) part.payload = new Uint8Array(buffer, 4 + length + part.payload[0], part.payload[1]);
    }
    if (parts.player) this.player = parts.player;
    if (parts.notice) this.busy = Boolean(parts.notice.words);
    if (parts.joints) this.frameAt = performance.now();
    try {
      this.receive(parts);
    } finally {
      this.send({ acknowledge: number });
    }
  }

  check() {
    const paused = this.player && this.player.paused;
    const age = performance.now() - this.frameAt;
    let words = '';
    if (!this.opened) {
      words = this.attempt > 2
        ? 'The program that shows this page does not answer. If it was started again, use the address that it prints.'
        : 'The connection is lost, trying again ...';
    } else if (!this.frameAt && !this.busy && performance.now() - this.openedAt > STALE_MS) {
      words = 'No images have arrived yet: is the camera connected, and is the graph running?';
    } else if (this.frameAt && !paused && age > STALE_MS) {
      words = `Nothing new for ${Math.round(age / 1000)} seconds: the camera or the programs behind it have stopped. What you see is old.`;
    }
    if (this.banner.textContent !== words) this.banner.textContent = words;
    this.banner.hidden = !words;
    document.body.classList.toggle('is-stale', Boolean(words));
  }
}

export function setText(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
}
