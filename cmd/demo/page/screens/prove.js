import { answerChallenge, Problem } from '../api.js';
import { goOn } from '../challenge.js';
import { clearError, codeField, wrongCode } from '../code-field.js';
import { countDown, patiently } from '../retry.js';
import { announce, once, parts, say, sayWait } from '../view.js';

/** The challenge SOFTWARE_TOKEN_MFA: a code from the app that is set up. */
export function prove(view, { who, notice, send, signal }) {
  const part = parts(view);
  if (who.device) part.device.textContent = ` on ${who.device}`;
  part.account.textContent = who.accountName;
  tellNextCode(part, notice.codeReusableAt, signal);

  codeField(part.code, { onInput: () => clearError(part.code, part.error) });
  part.cancel.addEventListener('click', () => send('signInAgain', { who: { clientId: who.clientId, accountName: who.accountName } }));
  part.form.addEventListener('submit', (event) => event.preventDefault());
  part.form.addEventListener('submit', once(async () => {
    const code = part.code.value;
    if (code.length !== 6) return wrongCode(part.code, part.error, 'Enter all six digits.');
    part.submit.setAttribute('aria-disabled', 'true');
    try {
      const reply = await patiently(() => answerChallenge(who, { challenge: 'SOFTWARE_TOKEN_MFA', code }, signal), {
        signal,
        onWait: (why, left) => sayWait(part.error, why, left),
      });
      await goOn(reply, { who, send, signal });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'session_expired') {
        return send('signInAgain', { who: { clientId: who.clientId, accountName: who.accountName }, notice: { reason: error.detail } });
      }
      wrongCode(part.code, part.error, error.detail);
    } finally {
      part.submit.removeAttribute('aria-disabled');
    }
  }));
}

/** A code works once: whoever has just enrolled must wait for the next one. */
async function tellNextCode(part, codeReusableAt, signal) {
  const seconds = (codeReusableAt - Date.now()) / 1000; // both by this clock
  if (!(seconds > 0)) return;
  announce('The code that finished the set-up does not work a second time. Wait for the next one.');
  await countDown(seconds, signal, (left) => say(part['next-code'], `The code that you have just used works only once. The app shows the next one in ${left} s.`)).catch(() => {});
  say(part['next-code'], '');
}
