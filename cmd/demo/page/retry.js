// Waiting when the service says so. The seconds come from Retry-After; up to a
// second more keeps all those who wait from coming back at the same moment.

import { Problem } from './api.js';

/** What passes by itself, with what to say meanwhile: the page waits, nobody needs to do anything. */
const passing = {
  busy: 'Many people are setting up an app just now. Nothing is lost.',
  too_many_requests: 'There were too many requests just now. Nothing is lost.',
};
const mostTries = 10;

/**
 * Calls until it works. Each second of a wait, onWait gets what to say and the
 * seconds left; 0 means that the call is being tried again.
 */
export async function patiently(call, { signal, onWait, codes = Object.keys(passing) }) {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (problem) {
      if (!(problem instanceof Problem) || !codes.includes(problem.code) || tries === mostTries) throw problem;
      await countDown((problem.retryAfter ?? 1) + Math.random(), signal, (left) => onWait(passing[problem.code], left));
    }
  }
}

/** Waits some seconds and tells each whole second that is left, 0 at last. */
export async function countDown(seconds, signal, tell) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const left = (end - performance.now()) / 1000;
    tell(Math.max(0, Math.ceil(left)));
    if (left <= 0) return;
    await pause((left % 1 || 1) * 1000, signal);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
