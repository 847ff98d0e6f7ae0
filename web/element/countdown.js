/**
 * Tells the whole seconds that are left, about once a second, until none is, and
 * then ends. It ends with the signal too, and tells nothing more.
 */
export function countDown(end, signal, tell) {
  return new Promise((resolve) => {
    let timer;
    const stop = () => { clearInterval(timer); resolve(); };
    let before;
    function tick() {
      // The wall clock goes on while a laptop sleeps; performance.now may not.
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      if (signal.aborted) return stop();
      if (left !== before) tell(left, before);
      before = left;
      if (left === 0) stop();
    }
    timer = setInterval(tick, 250);
    signal.addEventListener('abort', stop, { once: true });
    tick();
  });
}

/** m:ss */
export const minutesAndSeconds = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
