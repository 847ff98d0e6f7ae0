import { getMfa, Problem, setTotpPreference } from '../api.js';
import { patiently } from '../retry.js';
import { announce, once, parts, say, sayWait } from '../view.js';

/** What is on, and what can be done about it. */
export function account(view, { who, notice, demo, send, signal }) {
  const part = parts(view);
  const pool = demo.pools.find(({ clientId }) => clientId === who.clientId);
  const self = { clientId: who.clientId, accountName: who.accountName };
  part.username.textContent = who.accountName;
  part.mfa.textContent = pool.mfa;
  say(part.done, notice.done);

  let canSwitchOn = notice.canSwitchOn; // an app is off and still set up

  function render({ totp }) {
    part.ready.hidden = false;
    part.badge.textContent = totp.enabled ? 'On' : 'Off';
    part.badge.classList.toggle('on', totp.enabled);
    part.summary.textContent = summary(totp);
    part['set-up'].hidden = totp.enabled || canSwitchOn;
    part.prove.hidden = part.off.hidden = !totp.enabled;
    part.on.hidden = totp.enabled || !canSwitchOn;
    part.replace.hidden = !totp.enabled && !canSwitchOn;
  }

  /** Does one thing at a time and says what came of it. */
  const doing = once(async (text, action) => {
    say(part.failure);
    part.waiting.hidden = false;
    say(part['waiting-text'], text);
    try {
      return render(await patiently(action, {
        signal,
        onWait: (why, left) => sayWait(part['waiting-text'], why, left),
      }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (signInWanted.includes(error.code)) return send('signInAgain', { who: self, notice: { reason: error.detail } });
      say(part.failure, error.detail);
    } finally {
      part.waiting.hidden = true;
    }
  });

  part['set-up'].addEventListener('click', () => send('setUp'));
  part.replace.addEventListener('click', () => send('setUp'));
  part.prove.addEventListener('click', () => send('signInAgain', { who: self, notice: { codeReusableAt: notice.codeReusableAt } }));
  part['sign-out'].addEventListener('click', () => send('signInAgain', { who: self, notice: { reason: 'You are signed out.' } }));
  part.off.addEventListener('click', () => part.dialog.showModal());
  part.dialog.addEventListener('close', () => {
    if (part.dialog.returnValue === 'off') change(false);
    part.dialog.returnValue = '';
  });
  part.on.addEventListener('click', () => change(true));

  async function change(enabled) {
    say(part.done);
    await doing(enabled ? 'Switching on…' : 'Switching off…', async () => {
      const status = await setTotpPreference(who, enabled, signal);
      canSwitchOn = !status.totp.enabled;
      announce(enabled ? 'The authenticator app is on again.' : 'The authenticator app is off.');
      return status;
    });
    // The button that was pressed is gone; without this the focus would be lost.
    view.querySelector('h1')?.focus();
  }

  doing('Loading…', () => getMfa(who, signal)).then(() => notice.problem && say(part.failure, notice.problem));
}

/** Problems that another sign-in solves. */
const signInWanted = ['invalid_token', 'step_up_required', 'session_expired', 'user_not_found'];

function summary({ enabled, preferred }) {
  if (!enabled) return 'Your password alone protects this account.';
  return preferred ? 'It is asked for whenever you sign in.' : 'It can be chosen when you sign in.';
}
