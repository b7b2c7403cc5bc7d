// The therapist's page.
import { Connection, setText } from './connection.js';
import { Curves } from './curves.js';
import { Overlay } from './overlay.js';
import { BodyScene } from './scene.js';

const byId = (id) => document.getElementById(id);
const overlay = new Overlay(byId('image'), byId('no-image'));
const curves = new Curves(byId('curves'), byId('choices'));
let scene = null;
try {
  scene = new BodyScene(byId('body'), byId('no-body'));
} catch (error) {
  byId('no-body').textContent = 'This browser cannot draw in space (WebGL is off or missing).';
}
const state = { session: null, progress: null, hold: 0, imageAllowed: true, notice: '', seeking: false, frames: [] };

function wanted() {
  const names = [];
  if (byId('show-image').checked && state.imageAllowed) names.push('image');
  if (byId('show-mesh').checked && scene) names.push('mesh');
  if (byId('show-bones').checked && scene) names.push('bones');
  return names;
}

function minutes(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

const takers = {
  source: (part) => setText('source', part.session ? `${part.title}; sessions on this page are ${part.session}` : part.title),
  privacy: (part) => {
    state.imageAllowed = part.image;
    byId('privacy').hidden = part.image;
    byId('show-image').disabled = !part.image;
    if (!part.image) { byId('show-image').checked = false; overlay.setShown(false); }
  },
  notice: (part) => setText('notice', part.words),
  refusal: (part) => setText('notice', part.words),
  skeleton: (part) => { overlay.skeleton = part; if (scene) scene.setSkeleton(part); },
  topology: (part) => { if (scene) scene.setTopology(part); },
  exercises: (part) => {
    const select = byId('exercise');
    const chosen = select.value;
    select.replaceChildren(select.options[0], ...part.exercises.map(([label, name]) => new Option(name, label)));
    select.value = chosen;
  },
  angle_names: (part) => curves.setNames(part),
  angles: (part) => curves.add(part),
  joints: (part) => {
    overlay.setJoints(part);
    if (scene) scene.setJoints(part);
    byId('tracking').dataset.level = part.tracking;
    setText('tracking-words', part.tracking_words);
    countFrame();
  },
  image: (part) => { if (byId('show-image').checked) overlay.setImage(part); },
  mesh: (part) => { if (scene) scene.setMesh(part); },
  bones: (part) => { if (scene) scene.setBones(part); },
  exercise: (part) => {
    setText('label', part.displayed);
    setText('label-words', part.label === 'none' ? '' : part.words);
  },
  progress: (part) => { state.progress = part; showCount(); },
  hold: (part) => { state.hold = part.hold_s; showCount(); },
  session: (part) => { state.session = part; showCount(); },
  repetition: (part) => {
    const quality = part.quality === null ? '' : `, quality ${Math.round(part.quality * 100)} %`;
    const side = part.side === 'either side' || part.side === 'both sides' ? '' : `, ${part.side}`;
    const reasons = part.reasons.length ? `. ${part.reasons.join('. ')}` : '';
    setText('repetition', `${part.displayed} ${part.count}${side}: ${part.duration_s} s${quality}${reasons}`);
  },
  player: (part) => {
    byId('player').hidden = false;
    setText('play', part.paused ? (part.at_end ? 'Again' : 'Play') : 'Pause');
    const place = byId('place');
    place.max = String(part.duration_s);
    if (!state.seeking) place.value = String(part.time_s);
    const words = `${minutes(part.time_s)} of ${minutes(part.duration_s)}`;
    setText('time', words);
    place.setAttribute('aria-valuetext', words);
    byId('late').hidden = !part.late;
  },
  sent: (part) => { state.sent = part; },
};

function countFrame() {
  const now = performance.now();
  state.frames.push(now);
  while (state.frames[0] < now - 2000) state.frames.shift();
}

function showCount() {
  const { session, progress, hold } = state;
  const counted = session && (session.running || session.target);
  setText('count', String(counted ? session.count : progress && progress.count ? progress.count : 0));
  setText('target', counted && session.target ? `of ${session.target}` : '');
  setText('phase', progress ? progress.words : 'waiting');
  if (session) {
    setText('session', session.running ? `${session.displayed}, running` : session.message);
    byId('stop').disabled = !session.running;
  }
  const held = progress && progress.held_s ? progress.held_s : 0;
  setText('hold', hold ? `${Math.min(held, hold).toFixed(1)} of ${hold} seconds` : held >= 1 ? `${held.toFixed(0)} seconds` : 'none');
}

const connection = new Connection(wanted(), (parts) => {
  for (const [name, part] of Object.entries(parts)) if (takers[name]) takers[name](part);
});

setInterval(() => {
  if (!state.sent) return;
  const span = state.frames.length > 1 ? (state.frames[state.frames.length - 1] - state.frames[0]) / 1000 : 0;
  const rate = span ? ((state.frames.length - 1) / span).toFixed(0) : '0';
  setText('rate', `${rate} frames a second; ${state.sent.skipped} of ${state.sent.frames + state.sent.skipped} frames left out for this page.`);
}, 1000);

for (const id of ['show-image', 'show-mesh', 'show-bones', 'show-joints']) {
  byId(id).addEventListener('change', () => {
    overlay.setShown(byId('show-image').checked);
    if (scene) scene.setShown({ mesh: byId('show-mesh').checked, bones: byId('show-bones').checked, joints: byId('show-joints').checked });
    connection.setShow(wanted());
  });
}
byId('turn-left').addEventListener('click', () => scene && scene.turn(-Math.PI / 12, 0));
byId('turn-right').addEventListener('click', () => scene && scene.turn(Math.PI / 12, 0));
byId('turn-reset').addEventListener('click', () => scene && scene.reset());
byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  connection.send({ command: 'hold', hold_s: Number(byId('hold-s').value) });
  connection.send({
    command: 'start', exercise: byId('exercise').value, side: byId('side').value,
    repetitions: Number(byId('repetitions').value), subject_code: byId('code').value,
  });
});
byId('stop').addEventListener('click', () => connection.send({ command: 'stop' }));
byId('play').addEventListener('click', () => connection.send({ command: 'pause', paused: byId('play').textContent === 'Pause' }));
byId('place').addEventListener('input', () => { state.seeking = true; });
byId('place').addEventListener('change', () => {
  state.seeking = false;
  connection.send({ command: 'seek', time_s: Number(byId('place').value) });
});
byId('speed').addEventListener('change', () => connection.send({ command: 'speed', speed: Number(byId('speed').value) }));
