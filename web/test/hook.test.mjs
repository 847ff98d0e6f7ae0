// The hook in React's own renderer. It draws nothing here, so that a document of a few
// lines will do.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Problem } from 'mfa-enrollment-client';
import { useMfaEnrollment } from 'mfa-enrollment-react';
import { createElement, StrictMode } from 'react';

globalThis.window = globalThis;
globalThis.HTMLIFrameElement = class {};
globalThis.document = { nodeType: 9, nodeName: '#document', addEventListener() {} };
const { createRoot } = await import('react-dom/client');

const enrollment = { secret: 'secret', expiresIn: 600, session: 'second' };
const refused = (code, more) => async () => { throw new Problem({ code, detail: `words about ${code}`, ...more }); };

/** What a component with the hook has now, and what it called. Each call takes the next reply, and the last one again. */
function mount(replies, options) {
  const calls = [];
  const told = [];
  const made = () => Object.fromEntries(Object.entries({ startTotp: [async () => enrollment], ...replies }).map(([name, list]) => [name, async (request, how) => {
    calls.push([name, request]);
    return (list.length > 1 ? list.shift() : list[0])(how);
  }]));
  const shown = { calls, told };
  function Screen(props) {
    Object.assign(shown, useMfaEnrollment({ ...props, onDone: (result) => told.push(result), onSignInAgain: ({ code }) => told.push(code) }));
    return null;
  }
  const root = createRoot({ nodeType: 1, nodeName: 'DIV', tagName: 'DIV', ownerDocument: document, addEventListener() {}, removeChild() {}, set textContent(_) {} });
  const render = () => root.render(createElement(StrictMode, null, createElement(Screen, { client: made(), ...options })));
  render();
  return Object.assign(shown, { again: render, leave: () => root.unmount() });
}

/** Lets React and promises go on, and so many seconds pass. */
async function pass(seconds = 0) {
  for (let left = seconds * 10; left >= 0; left--) {
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    if (left > 0) mock.timers.tick(100);
  }
}

function timed(name, run) {
  test(name, async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    try { await run(); } finally { mock.timers.reset(); }
  });
}
const count = ({ calls }, name) => calls.filter(([called]) => called === name).length;
const challenge = { name: 'MFA_SETUP', session: 'first', parameters: {} };

timed('a code goes out as its digits alone', async () => {
  const hook = mount({ verifyTotp: [async () => ({ outcome: 'enabled', mfa: {} })] });
  await pass();
  hook.verify(' １２３-45٦ ');
  await pass();
  assert.deepEqual(hook.calls.at(-1), ['verifyTotp', { code: '123456' }]);
  assert.equal(hook.step, 'done');
  hook.leave();
});

timed('after verified_not_enabled it waits, and switches on without another code', async () => {
  const hook = mount({
    verifyTotp: [refused('verified_not_enabled', { retryAfter: 3 })],
    setTotpPreference: [refused('unreachable'), async () => ({ totp: { enabled: true } })],
  });
  await pass();
  hook.verify('123456');
  await pass(2.5);
  assert.equal(count(hook, 'setTotpPreference'), 0);
  assert.equal(hook.waiting?.problem.code, 'verified_not_enabled');
  await pass(1);
  assert.equal(count(hook, 'setTotpPreference'), 1);
  assert.deepEqual([hook.step, hook.problem.code, hook.verified], ['failed', 'unreachable', true]);
  const started = count(hook, 'startTotp');
  hook.start({ renew: true });
  await pass();
  assert.deepEqual([hook.step, hook.told.length, count(hook, 'startTotp')], ['done', 1, started]);
  hook.leave();
});

timed('a sign-in that stopped after the right code goes on with its last step', async () => {
  const hook = mount({
    verifyTotp: [async () => ({ outcome: 'verified', session: 'third', codeReusableIn: 20 })],
    answerChallenge: [refused('upstream_unavailable'), async () => ({ outcome: 'signed_in', tokens: {} })],
  }, { challenge, clientId: 'c', username: 'u' });
  await pass();
  hook.verify('123456');
  await pass();
  assert.deepEqual([hook.step, hook.verified], ['failed', true]);
  const started = count(hook, 'startTotp');
  hook.start();
  await pass();
  assert.deepEqual(hook.told, [{ outcome: 'signed_in', tokens: {}, codeReusableIn: 20 }]);
  assert.deepEqual([count(hook, 'startTotp'), count(hook, 'verifyTotp')], [started, 1]);
  hook.leave();
});

timed('a new QR code is asked for once for each wish', async () => {
  const hook = mount({});
  await pass();
  hook.start({ renew: true });
  await pass();
  assert.deepEqual(hook.calls.at(-1), ['startTotp', { renew: true }]);
  hook.again(); // with another client
  await pass();
  assert.deepEqual(hook.calls.at(-1), ['startTotp', { renew: false }]);
  hook.leave();
});

timed('a code that is on its way when the time is over counts', async () => {
  const later = () => new Promise((resolve) => setTimeout(() => resolve({ outcome: 'signed_in', tokens: {} }), 4000));
  const hook = mount({ verifyTotp: [later] }, { challenge, clientId: 'c', username: 'u' });
  await pass();
  await pass(598);
  hook.verify('123456');
  await pass(5);
  assert.deepEqual(hook.told, [{ outcome: 'signed_in', tokens: {} }]);
  hook.leave();
});

timed('it ends when its time is over, and tells nothing once it is gone', async () => {
  const hook = mount({ verifyTotp: [async () => ({ outcome: 'signed_in', tokens: {} })] }, { challenge, clientId: 'c', username: 'u' });
  await pass();
  await pass(601);
  assert.deepEqual([hook.step, ...hook.told], ['ended', 'session_expired']);
  hook.leave();

  const other = mount({ verifyTotp: [() => new Promise((resolve) => setTimeout(() => resolve({ outcome: 'signed_in', tokens: {} }), 1000))] }, { challenge });
  await pass();
  other.verify('123456');
  await pass();
  other.leave();
  await pass(2);
  assert.deepEqual(other.told, []);
});
