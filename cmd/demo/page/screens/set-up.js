import { answerChallenge, Problem, setTotpPreference, startTotp, verifyTotp } from '../api.js';
import { goOn } from '../challenge.js';
import { clearError, codeField, wrongCode } from '../code-field.js';
import { countdown } from '../countdown.js';
import { countDown, patiently } from '../retry.js';
import { announce, clone, once, parts, say, sayWait } from '../view.js';

/** Problems that another sign-in solves. */
const signInWanted = ['session_expired', 'invalid_token', 'step_up_required', 'user_not_found'];
/** Problems after which this QR code is worth nothing. */
const startWanted = ['enrollment_replaced', 'no_pending_enrollment'];

const allSet = 'All set. From now on you sign in with a code from your authenticator app as well.';

/** The QR code and the first code, signed in already or in mid-sign-in. */
export function setUp(view, { who, send, signal }) {
  const part = parts(view);
  const self = { clientId: who.clientId, accountName: who.accountName };
  let enrollment; // the secret is here and in the DOM, and in no other place
  let timer = new AbortController();

  const start = once(async (renew) => {
    only(part, 'waiting');
    say(part['waiting-text'], 'Getting a QR code…');
    try {
      enrollment = await patiently(() => startTotp(who, { renew }, signal), { signal, onWait: (why, left) => wait(part, why, left) });
      showEnrollment();
    } catch (error) {
      fail(error);
    }
  });

  function restart(renew) {
    view.querySelector('h1').focus(); // the button that was pressed goes away
    start(renew);
  }

  function showEnrollment() {
    fill(part, enrollment);
    only(part, 'ready');
    part.renew.hidden = !who.accessToken;
    timer.abort();
    timer = new AbortController();
    countdown(part.countdown, enrollment.expiresIn * 1000, AbortSignal.any([signal, timer.signal]), expired);
  }

  function expired() {
    if (who.accessToken) return refuse('This QR code has expired. If you have scanned it, remove that entry from your app.', { renew: true });
    send('signInAgain', { who: self, notice: { reason: 'The set-up took longer than a sign-in may. Sign in again for a new QR code.' } });
  }

  /** Shows the problem in place of the enrollment, with a way to start again. */
  function refuse(text, { renew = false } = {}) {
    timer.abort();
    part.again.onclick = () => restart(renew);
    only(part, 'failure');
    part['failure-text'].textContent = text;
    part.again.focus();
  }

  function fail(error) {
    if (!(error instanceof Problem)) throw error;
    if (signInWanted.includes(error.code)) return send('signInAgain', { who: self, notice: { reason: error.detail } });
    refuse(error.code === 'internal' ? `${error.detail} It is ${error.requestId}.` : error.detail);
  }

  const verify = once(async () => {
    const code = part.code.value;
    if (code.length !== 6) return wrongCode(part.code, part.error, 'Enter all six digits.');
    part.submit.setAttribute('aria-disabled', 'true');
    const request = { code, deviceName: part.device.value.trim(), session: enrollment.session };
    try {
      await finish(await patiently(() => verifyTotp(who, request, signal), { signal, codes: ['busy'], onWait: (why, left) => sayWait(part.error, why, left) }));
    } catch (error) {
      await refusedCode(error);
    } finally {
      part.submit.removeAttribute('aria-disabled');
    }
  });

  /** What a right code leads to. */
  async function finish(reply) {
    const notice = { done: allSet, codeReusableAt: Date.now() + reply.codeReusableIn * 1000 };
    if (reply.outcome === 'enabled') return send('signedIn', { notice });
    if (reply.outcome !== 'verified') return goOn(reply, { who, notice, send, signal });
    // The code was right and the sign-in did not go on. The session is good.
    const answer = () => answerChallenge({ ...who, session: reply.session }, { challenge: 'MFA_SETUP' }, signal);
    return goOn(await patiently(answer, { signal, onWait: (why, left) => sayWait(part.error, why, left) }), { who, notice, send, signal });
  }

  async function refusedCode(error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === 'verified_not_enabled') return switchOn(error);
    if (error.code === 'too_many_requests') return coolDown(error);
    if (startWanted.includes(error.code) || signInWanted.includes(error.code)) return fail(error);
    wrongCode(part.code, part.error, error.clockSkewSeconds ? clockAdvice(error) : error.detail);
  }

  /** The code was right; only switching on is missing, and needs no other code. */
  async function switchOn(problem) {
    only(part, 'waiting');
    try {
      say(part['waiting-text'], 'The code was right. Switching the app on…');
      await countDown(problem.retryAfter ?? 1, signal, () => {});
      await patiently(() => setTotpPreference(who, true, signal), { signal, onWait: (why, left) => wait(part, why, left) });
      send('signedIn', { notice: { done: allSet } });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      send('signedIn', { notice: { problem: error.detail, canSwitchOn: true } });
    }
  }

  /** After too many tries another code is wanted when the time is over. */
  async function coolDown({ retryAfter, detail }) {
    part.code.disabled = true;
    await countDown(retryAfter ?? 1, signal, (left) => sayWait(part.error, detail, left, 'You can go on'));
    part.code.disabled = false;
    wrongCode(part.code, part.error, 'Enter the code that the app shows now.');
  }

  codeField(part.code, { onInput: () => clearError(part.code, part.error) });
  part.form.addEventListener('submit', (event) => { event.preventDefault(); verify(); });
  part.renew.addEventListener('click', () => restart(true));
  part.cancel.addEventListener('click', () => (who.accessToken ? send('cancelled') : send('signInAgain', { who: self })));
  part.copy.addEventListener('click', () => copyKey(part, enrollment.secret));
  start(false);
}

/** Shows one of the three states and hides the others. */
function only(part, state) {
  for (const name of ['waiting', 'failure', 'ready']) part[name].hidden = name !== state;
  if (state !== 'ready') part.renew.hidden = true;
}

function fill(part, { qrCode, otpauthUri, issuer, accountName, secret }) {
  part.qr.src = qrCode;
  part.open.href = otpauthUri;
  part.issuer.textContent = issuer;
  part.account.textContent = accountName;
  part.key.replaceChildren(...secret.match(/.{1,4}/g).map((group) => Object.assign(document.createElement('span'), { textContent: group })));
  clearError(part.code, part.error);
  part.code.value = '';
}

function wait(part, why, left) {
  if (!part['waiting-text'].textContent.startsWith(why)) announce(why);
  sayWait(part['waiting-text'], why, left);
}

function clockAdvice(problem) {
  const advice = clone('clock-advice');
  parts(advice).detail.textContent = problem.detail;
  return advice;
}

async function copyKey(part, secret) {
  const label = part.copy.textContent;
  try {
    await navigator.clipboard.writeText(secret);
    part.copy.textContent = 'Copied';
    announce('The key is copied.');
  } catch {
    // Without the right to write to the clipboard the key is selected instead.
    getSelection().selectAllChildren(part.key);
    announce('The key is selected. Copy it with the keyboard.');
  }
  setTimeout(() => { part.copy.textContent = label; }, 2000);
}
