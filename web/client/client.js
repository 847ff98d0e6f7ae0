import { ownProblem, Problem } from './problem.js';

/**
 * A client of the service at baseUrl. token gives the access token, or nothing in
 * mid-sign-in; it is asked before every call, and once more with { refresh: true }
 * when the service refused the one that it gave.
 */
export function createClient({ baseUrl = '', token, timeout = 20_000, patience = 120_000, onWait, fetch: fetcher = (...args) => fetch(...args) } = {}) {
  const service = { baseUrl: baseUrl.replace(/\/+$/, ''), token: typeof token === 'string' ? () => token : token, timeout, patience, onWait, fetcher };
  const call = (method, path, body, options, how) => patiently(service, { method, path, body, bearer: !body?.session, accept: 'application/json', ...how }, options ?? {});
  return {
    startTotp: (request = {}, options) => call('POST', '/v1/mfa/totp', request, options),
    verifyTotp: (request, options) => call('POST', '/v1/mfa/totp/verify', request, options, { code: true }),
    getTotpQr: ({ type = 'image/png', ...options } = {}) => call('GET', '/v1/mfa/totp/qr', undefined, options, { accept: type }),
    getMfa: (options) => call('GET', '/v1/mfa', undefined, options),
    setTotpPreference: (request, options) => call('PUT', '/v1/mfa/totp/preference', request, options),
    answerChallenge: (request, options) => call('POST', '/v1/auth/challenge', request, options, { code: true, bearer: false }),
  };
}

/** How long a code is worth sending again: an app shows it for 30 seconds. */
const codeLife = 30_000;

/**
 * Repeats a call only when the service said that it did nothing, and when to come
 * back: `busy`, and `too_many_requests` where no code is sent, since the code that
 * is right then is another. What came of a call whose reply was lost is unknown, so
 * that it is left to the person.
 */
async function patiently(service, call, { signal, onWait = service.onWait }) {
  const end = Date.now() + (call.code ? Math.min(codeLife, service.patience) : service.patience);
  for (;;) {
    try {
      return await withToken(service, call, signal);
    } catch (problem) {
      const passes = problem.code === 'busy' || (problem.code === 'too_many_requests' && !call.code);
      const wait = ((problem.retryAfter ?? 1) + Math.random()) * 1000; // so that not everybody comes back at once
      if (!(problem instanceof Problem) || !passes || Date.now() + wait > end) throw problem;
      await pause(wait, signal, (seconds) => onWait?.(problem, seconds));
    }
  }
}

/** A refused token was not acted on: with another one the call is made once more. */
async function withToken(service, call, signal) {
  if (!call.bearer) return once(service, call, signal);
  const token = await askToken(service, signal, ownProblem('unreachable'));
  try {
    return await once(service, call, signal, token);
  } catch (problem) {
    if (problem.code !== 'invalid_token') throw problem;
    const other = await askToken(service, signal, problem, { refresh: true });
    if (!other || other === token) throw problem;
    return once(service, call, signal, other);
  }
}

/** The token, or nothing. Where the page fails to give it, that is the cause of this problem. */
async function askToken(service, signal, problem, how) {
  try {
    return await service.token?.(how);
  } catch (error) {
    signal?.throwIfAborted();
    problem.cause = error;
    throw problem;
  }
}

async function once({ baseUrl, fetcher, timeout }, { method, path, body, accept }, signal, token) {
  signal?.throwIfAborted();
  const headers = { Accept: accept };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers['Content-Type'] = 'application/json';
  // One signal for the caller's and the time limit, which holds for the body too.
  const limit = new AbortController();
  const give = () => limit.abort(signal.reason);
  const timer = setTimeout(() => limit.abort(), timeout);
  signal?.addEventListener('abort', give);
  try {
    const reply = await fetcher(baseUrl + path, { method, headers, body: body && JSON.stringify(body), signal: limit.signal, cache: 'no-store', credentials: 'same-origin' });
    if (reply.ok && accept !== 'application/json') return await reply.blob();
    const document = await reply.text().then(parse);
    if (reply.ok && isObject(document)) return document;
    throw isProblem(document) ? new Problem({ ...document, maxAge: maxAge(reply) }) : ownProblem('unreadable');
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof Problem) throw error;
    throw ownProblem('unreachable', limit.signal.aborted ? 'timeout' : undefined);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', give);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // of something that stands between
  }
}

const isObject = (document) => typeof document === 'object' && document !== null && !Array.isArray(document);

/** Whether the service says it: what stands between has codes of its own, and no words for people. */
const isProblem = (document) => isObject(document) && typeof document.code === 'string' && typeof document.detail === 'string';

/** How old a sign-in may be, in seconds, where it is too old (RFC 9470). */
function maxAge(reply) {
  const found = /max_age="?(\d+)/.exec(reply.headers.get('WWW-Authenticate') ?? '');
  return found ? Number(found[1]) : undefined;
}

/** Waits, and tells each whole second that is left, 0 at last. */
function pause(milliseconds, signal, tell) {
  const end = Date.now() + milliseconds;
  return new Promise((resolve, reject) => {
    let timer;
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    signal?.addEventListener('abort', stop, { once: true });
    (function tick() {
      const left = Math.min(end - Date.now(), milliseconds);
      tell(Math.max(0, Math.ceil(left / 1000)));
      if (left > 0) {
        timer = setTimeout(tick, left % 1000 || 1000);
        return;
      }
      signal?.removeEventListener('abort', stop);
      resolve();
    })();
  });
}
