// Keys, taps and focus. The server draws each screen; nothing is pressed twice while it does.
const KEYS = {
  ArrowLeft: 'first', Digit1: 'first', Numpad1: 'first',
  ArrowRight: 'second', Digit2: 'second', Numpad2: 'second',
  ArrowDown: 'tie', Digit0: 'tie', Numpad0: 'tie', Space: 'tie',
  Backspace: 'undo', KeyU: 'undo', KeyS: 'skip',
};
const PATIENCE_MS = 6000;
let waiting = null;

const say = (text) => { document.querySelector('#notice').textContent = text; };

const send = (act, voter) => {
  const section = element.querySelector('section');
  if (waiting || !section) return;
  section.setAttribute('aria-busy', 'true');
  waiting = setTimeout(() => {
    say('서버와 연결이 끊겼습니다. 저장된 투표는 그대로입니다. 서버가 다시 켜지면 이어서 할 수 있습니다.');
    section.removeAttribute('aria-busy');
    waiting = null;
  }, PATIENCE_MS);
  trigger('act', { act, voter, item: section.dataset.item ?? '' });
};

const remembered = () => {
  try { return localStorage.getItem('hanjul-voter') ?? ''; } catch { return ''; }
};

const greet = () => {
  const field = element.querySelector('#voter');
  if (!field) return;
  field.value ||= remembered() || `익명-${Math.random().toString(16).slice(2, 6)}`; // two anonymous people stay two
  if (matchMedia('(hover: hover)').matches) field.focus(); // a phone would open its keyboard over the text
};

element.addEventListener('submit', (event) => {
  event.preventDefault();
  const voter = element.querySelector('#voter').value;
  try { localStorage.setItem('hanjul-voter', voter); } catch { /* a private window */ }
  send('start', voter);
});

element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-act]');
  if (button) send(button.dataset.act);
});

document.addEventListener('keydown', (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input, textarea')) return;
  if (event.code === 'Space' && event.target.closest('button')) return; // it presses the button that has the focus
  const act = KEYS[event.code] ?? KEYS[event.key];
  if (!act || !element.querySelector('section[data-item], section.done')) return;
  event.preventDefault();
  if (element.querySelector(`button[data-act="${act}"]:not(:disabled)`)) send(act);
});

watch('value', () => {
  clearTimeout(waiting);
  waiting = null;
  say(element.querySelector('[data-notice]')?.dataset.notice ?? '');
  greet();
  const heading = element.querySelector('[data-focus]');
  if (heading) {
    heading.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
});

greet();
