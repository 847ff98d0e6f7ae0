// An empty Vite application with the three packages installed: ?react and ?hook show
// the React parts, ?session signs in to the pool that requires a second factor.
import 'mfa-enrollment-element';
import { createClient } from 'mfa-enrollment-client';
import { MfaEnrollment, useMfaEnrollment } from 'mfa-enrollment-react';
import { createElement, StrictMode, useMemo } from 'react';
import { createRoot } from 'react-dom/client';

const settings = new URLSearchParams(location.search);
const app = document.querySelector('#app');
const done = (result) => { app.dataset.done = result.tokens ? 'signed in' : `enabled ${result.mfa.totp.enabled}`; };
const onSignInAgain = ({ code }) => { app.dataset.done = `sign in again: ${code}`; };

async function signIn() {
  if (settings.has('token')) return { token: settings.get('token') };
  const reply = await fetch('/cognito', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'AWSCognitoIdentityProviderService.InitiateAuth' },
    body: JSON.stringify({
      AuthFlow: 'USER_PASSWORD_AUTH', ClientId: settings.get('client'),
      AuthParameters: { USERNAME: settings.get('user'), PASSWORD: 'Correct-Horse-1' },
    }),
  });
  const { AuthenticationResult: result, ChallengeName: name, Session: session, ChallengeParameters: parameters } = await reply.json();
  return result ? { token: result.AccessToken } : { challenge: { name, session, parameters } };
}

function Hook({ clientId, username, challenge, token }) {
  const client = useMemo(() => createClient({ token }), [token]);
  const { step, enrollment, secondsLeft, problem, verify } = useMfaEnrollment({ client, challenge, clientId, username, onDone: done, onSignInAgain });
  if (step !== 'scan') return createElement('p', null, step);
  const submit = (event) => { event.preventDefault(); verify(new FormData(event.currentTarget).get('code')); };
  return createElement('form', { onSubmit: submit },
    createElement('img', { src: enrollment.qrCode, alt: 'QR code' }),
    createElement('code', { id: 'key' }, enrollment.secret),
    createElement('p', null, `${enrollment.accountName}, ${secondsLeft} seconds left`),
    problem && createElement('p', { role: 'alert' }, problem.detail),
    createElement('input', { name: 'code', 'aria-label': 'Code' }));
}

const who = { clientId: settings.get('client'), username: settings.get('user'), ...(await signIn()) };
if (settings.get('part') === 'element') {
  const element = document.createElement('mfa-enrollment');
  element.addEventListener('enabled', ({ detail }) => done(detail));
  element.addEventListener('signed-in', ({ detail }) => done(detail));
  element.addEventListener('sign-in-again', ({ detail }) => onSignInAgain(detail));
  Object.assign(element, who, { view: 'set-up' });
  app.append(element);
} else {
  const part = settings.get('part') === 'hook' ? createElement(Hook, who) : createElement(MfaEnrollment, { ...who, view: 'set-up', onDone: done, onSignInAgain });
  createRoot(app).render(createElement(StrictMode, null, part));
}
