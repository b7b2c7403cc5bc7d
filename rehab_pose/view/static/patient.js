// The patient's page: count, phase, countdown of the hold, and spoken cues.
import { Connection, setText } from './connection.js';

const byId = (id) => document.getElementById(id);
const PHASES = { rest: 'Ready', out: 'Go', back: 'And back', unknown: 'Waiting', none: 'Waiting' };
const state = { session: null, progress: null, hold: 0, exercise: null, speaking: false, cue: null, spokenHold: '' };

function speak(words) {
  if (!state.speaking || !window.speechSynthesis || !words) return;
  window.speechSynthesis.cancel(); // the newest cue counts
  const utterance = new SpeechSynthesisUtterance(words);
  utterance.lang = 'en';
  window.speechSynthesis.speak(utterance);
}

function show() {
  const { session, progress, exercise, hold } = state;
  const counted = session && (session.running || session.target);
  const named = session && session.running && session.exercise ? session.displayed : exercise && exercise.label !== 'none' ? exercise.displayed : 'Your exercise';
  setText('name', named);
  setText('count', String(counted ? session.count : progress && progress.count ? progress.count : 0));
  setText('target', counted && session.target ? `of ${session.target}` : '');
  const held = progress && progress.held_s ? progress.held_s : 0;
  const holding = Boolean(hold && held > 0);
  byId('hold-box').hidden = !holding;
  byId('phase').hidden = holding;
  if (holding) {
    const left = Math.max(0, Math.ceil(hold - held));
    byId('hold-bar').value = Math.min(1, held / hold);
    setText('hold-words', left ? 'Hold' : 'And back');
    setText('hold-left', left ? String(left) : '');
    const words = left ? (left <= 3 ? String(left) : left === Math.ceil(hold) ? 'Hold' : '') : 'And back';
    if (words && words !== state.spokenHold) { state.spokenHold = words; speak(words); }
  } else {
    state.spokenHold = '';
    setText('phase', session && !session.running && session.target && session.count >= session.target ? 'Done' : PHASES[progress ? progress.phase : 'none']);
  }
}

const takers = {
  session: (part) => { state.session = part; },
  progress: (part) => { state.progress = part; },
  exercise: (part) => { state.exercise = part; },
  hold: (part) => { state.hold = part.hold_s; },
  cue: (part) => {
    const first = state.cue === null;
    if (part.number === state.cue) return;
    state.cue = part.number;
    setText('cue', part.words);
    if (!first || state.speaking) speak(part.words);
  },
};

new Connection([], (parts) => {
  for (const [name, part] of Object.entries(parts)) if (takers[name]) takers[name](part);
  show();
});

byId('speak').addEventListener('click', () => {
  state.speaking = !state.speaking;
  byId('speak').setAttribute('aria-pressed', String(state.speaking));
  setText('speak', state.speaking ? 'Turn off the voice' : 'Turn on the voice');
  if (state.speaking) speak('The voice is on.'); else if (window.speechSynthesis) window.speechSynthesis.cancel();
});
if (!window.speechSynthesis) byId('speak').hidden = true;
