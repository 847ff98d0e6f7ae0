// The time that is left of an enrollment, shown every second and spoken rarely.

import { announce } from './view.js';

/** The seconds left at which a screen reader says so. */
const moments = [300, 60, 20];

/** Shows m:ss in element until the time is up, then calls onEnd. Stops with signal. */
export function countdown(element, milliseconds, signal, onEnd) {
  // The wall clock goes on while a laptop sleeps; performance.now may not.
  const end = Date.now() + milliseconds;
  let before = Infinity;

  function tick() {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    element.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    const moment = moments.find((m) => left <= m && before > m);
    if (moment && before !== Infinity) announce(`The QR code expires in ${spoken(moment)}.`);
    before = left;
    if (left > 0) return;
    clearInterval(timer);
    onEnd();
  }

  const timer = setInterval(tick, 500);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  tick();
}

function spoken(seconds) {
  if (seconds < 60) return `${seconds} seconds`;
  return seconds === 60 ? 'one minute' : `${seconds / 60} minutes`;
}
