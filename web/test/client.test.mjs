// The client against a fetch that a test scripts, by a clock that a test moves.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createClient, describe, format, normalizeCode, Problem } from '../client/index.js';

const json = (status, body, headers) => () => new Response(JSON.stringify(body), { status, headers });
const problem = (status, code, more) => json(status, { code, status, detail: `words about ${code}`, requestId: '1', ...more });
const busy = problem(503, 'busy', { retryAfter: 3 });
const tooMany = problem(429, 'too_many_requests', { retryAfter: 3 });
const never = (signal) => new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** A client whose replies are these, one after another, and what it asked. */
function scripted(replies, options) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    return replies.shift()(init.signal);
  };
  return { asked, client: createClient({ baseUrl: 'https://mfa.example/', token: 'token-1', fetch, ...options }) };
}

/** Moves the clock until the promise is settled. */
async function settled(promise) {
  let done = false;
  promise.then(() => { done = true; }, () => { done = true; });
  for (let i = 0; i < 5000 && !done; i++) {
    await new Promise(setImmediate);
    mock.timers.tick(100);
  }
  return promise;
}

function timed(name, run) {
  test(name, async () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    try { await run(); } finally { mock.timers.reset(); }
  });
}

const calls = {
  startTotp: (c, o) => c.startTotp({}, o),
  'startTotp with session': (c, o) => c.startTotp({ session: 's' }, o),
  'startTotp with renew': (c, o) => c.startTotp({ renew: true }, o),
  getMfa: (c, o) => c.getMfa(o),
  setTotpPreference: (c, o) => c.setTotpPreference({ enabled: true }, o),
  verifyTotp: (c, o) => c.verifyTotp({ code: '123456' }, o),
  answerChallenge: (c, o) => c.answerChallenge({ challenge: 'SOFTWARE_TOKEN_MFA', clientId: 'c', username: 'u', session: 's', code: '123456' }, o),
};
const withCode = ['verifyTotp', 'answerChallenge'];

for (const [name, call] of Object.entries(calls)) {
  timed(`${name} waits as long as busy says, and up to a second more`, async () => {
    const { asked, client } = scripted([busy, json(200, { ok: true })]);
    const waits = [];
    const begin = Date.now();
    assert.deepEqual(await settled(call(client, { onWait: (p, left) => waits.push([p.code, left]) })), { ok: true });
    assert.equal(asked.length, 2);
    assert.ok(Date.now() - begin >= 3000 && Date.now() - begin <= 4400, `${Date.now() - begin} ms`);
    assert.deepEqual(waits.at(-1), ['busy', 0]);
    assert.deepEqual(asked[0].body, asked[1].body);
  });

  timed(`${name} ${withCode.includes(name) ? 'does not repeat' : 'repeats'} what was too many requests`, async () => {
    const { asked, client } = scripted([tooMany, json(200, {})]);
    const end = settled(call(client));
    if (withCode.includes(name)) await assert.rejects(end, { code: 'too_many_requests', retryAfter: 3 });
    else await end;
    assert.equal(asked.length, withCode.includes(name) ? 1 : 2);
  });

  for (const [what, reply, want] of [
    ['a lost connection', () => { throw new TypeError('fetch failed'); }, { code: 'unreachable', variant: undefined }],
    ['a reply that never comes', never, { code: 'unreachable', variant: 'timeout' }],
    ['a page of something between', () => new Response('<h1>Bad gateway</h1>', { status: 502 }), { code: 'unreadable' }],
    ['a 502', problem(502, 'upstream_unavailable'), { code: 'upstream_unavailable', status: 502 }],
    ['verified_not_enabled', problem(503, 'verified_not_enabled', { retryAfter: 1 }), { code: 'verified_not_enabled' }],
  ]) {
    timed(`${name} does not repeat after ${what}`, async () => {
      const { asked, client } = scripted([reply]);
      await assert.rejects(settled(call(client)), want);
      assert.equal(asked.length, 1);
    });
  }
}

timed('a code is not sent again when the app shows another one', async () => {
  const { asked, client } = scripted([busy, problem(503, 'busy', { retryAfter: 40 })]);
  await assert.rejects(settled(client.verifyTotp({ code: '123456' })), { code: 'busy' });
  assert.equal(asked.length, 2);
});

timed('an abort ends a wait and a call, with the reason of the signal', async () => {
  for (const reply of [busy, never]) {
    const { client } = scripted([reply]);
    const left = new AbortController();
    const end = client.getMfa({ signal: left.signal });
    setTimeout(() => left.abort(new Error('left')), 1000);
    await assert.rejects(settled(end), { message: 'left' });
  }
});

test('a refused token is refreshed once', async () => {
  const asks = [];
  const token = (how) => { asks.push(how); return how ? 'token-2' : 'token-1'; };
  const { asked, client } = scripted([problem(401, 'invalid_token', { variant: 'expired' }), json(200, {})], { token });
  await client.getMfa();
  assert.deepEqual(asked.map((r) => r.headers.Authorization), ['Bearer token-1', 'Bearer token-2']);
  assert.deepEqual(asks, [undefined, { refresh: true }]);

  const same = scripted([problem(401, 'invalid_token')]);
  await assert.rejects(same.client.getMfa(), { code: 'invalid_token' });
});

test('a token that cannot be had is told as a problem', async () => {
  const refused = problem(401, 'invalid_token', { variant: 'expired' });
  // A cookie of the page's own back end is the credential: there is no other to ask for.
  await assert.rejects(scripted([refused], { token: undefined }).client.getMfa(), { name: 'Problem', code: 'invalid_token', variant: 'expired' });

  // The refresh token has expired: what the service said about the first one counts.
  const cause = new Error('login_required');
  const signedOut = scripted([refused], { token: (how) => (how ? Promise.reject(cause) : 'token-1') });
  await assert.rejects(signedOut.client.getMfa(), { name: 'Problem', code: 'invalid_token', variant: 'expired', cause });

  // Nobody knows about the token: it may be the network, so that trying again may help.
  const { asked, client } = scripted([], { token: () => { throw cause; } });
  await assert.rejects(client.getMfa(), { name: 'Problem', code: 'unreachable', cause });
  assert.equal(asked.length, 0);

  const left = new AbortController();
  const gone = scripted([], { token: () => { left.abort(new Error('left')); throw cause; } });
  await assert.rejects(gone.client.getMfa({ signal: left.signal }), { message: 'left' });
});

for (const document of [{ code: 1020, message: 'denied' }, { code: 'ERR_BLOCKED', message: 'denied' }, { message: 'Too Many Requests' }, null, 'no', 7]) {
  test(`a refusal that is no problem document is unreadable: ${JSON.stringify(document)}`, async () => {
    const { client } = scripted([json(403, document)]);
    const error = await client.getMfa().catch((e) => e);
    assert.equal(error.code, 'unreadable');
    assert.ok(describe(error));
  });
}

for (const document of ['no', 7, [], true]) {
  test(`a reply that is no object is unreadable: ${JSON.stringify(document)}`, async () => {
    await assert.rejects(scripted([json(200, document)]).client.getMfa(), { code: 'unreadable' });
  });
}

test('one credential goes along: the session or the token', async () => {
  const { asked, client } = scripted([json(200, {}), json(200, {}), json(200, {})]);
  await client.startTotp({ session: 's' });
  await client.verifyTotp({ session: 's', code: '123456' });
  await client.startTotp();
  assert.deepEqual(asked.map((r) => r.headers.Authorization), [undefined, undefined, 'Bearer token-1']);
  assert.equal(asked[2].url, 'https://mfa.example/v1/mfa/totp');
});

test('a problem has every member, and the age that a sign-in may have', async () => {
  const document = { code: 'step_up_required', variant: 'v', status: 401, title: 't', detail: 'd', hint: 'h', retryAfter: 1, clockSkewSeconds: 2, fields: [], requestId: 'r', poolMessage: 'p' };
  const { client } = scripted([json(401, document, { 'WWW-Authenticate': 'Bearer error="insufficient_user_authentication", max_age="900"' })]);
  const error = await client.getMfa().catch((e) => e);
  assert.ok(error instanceof Problem && error instanceof Error);
  assert.equal(error.message, 'd');
  for (const [name, value] of Object.entries({ ...document, maxAge: 900 })) assert.deepEqual(error[name], value);
});

test('messages have plurals and placeholders', () => {
  const polish = { lang: 'pl', wait: { one: '{n} sekunda', few: '{n} sekundy', other: '{n} sekund' } };
  assert.deepEqual([1, 2, 5].map((n) => format(polish, 'wait', { n })), ['1 sekunda', '2 sekundy', '5 sekund']);
  assert.equal(format({ lang: 'ar-EG', wait: '{n}' }, 'wait', { n: 12 }), '١٢');
  assert.equal(format({}, 'nothing'), undefined);
});

test('what a catalogue does not know is told as the service does', () => {
  const of = (code, variant) => new Problem({ code, variant, detail: 'the service' });
  const german = { lang: 'de', known: 'bekannt' };
  assert.equal(describe(of('known', 'new_variant'), german), 'bekannt');
  assert.equal(describe(of('unknown'), german), 'the service');
  assert.equal(describe(of('known')), 'the service');
});

test('a code is what was typed, in the digits that the service takes', () => {
  for (const typed of ['123456', ' 123 456\n', '123-456', '123·456', '123\u2009456', '\u200f123456\u200e', '１２３４５６', '١٢٣٤٥٦', '۱۲۳۴۵۶', '१२३४५६']) assert.equal(normalizeCode(typed), '123456', typed);
  assert.equal(normalizeCode('12x34'), '12x34');
});
