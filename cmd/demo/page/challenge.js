// Where a sign-in goes on: its reply holds tokens or one more challenge, and
// each leads to a screen.

import { answerChallenge, Problem } from './api.js';

const event = { MFA_SETUP: 'mustSetUp', SOFTWARE_TOKEN_MFA: 'mustProve' };

/** Sends the event that fits the reply. `notice` goes to the next screen. */
export async function goOn({ outcome, tokens, challenge }, { who, notice, send, signal }) {
  const { clientId, accountName } = who;
  if (outcome === 'signed_in') {
    return send('signedIn', { who: { clientId, accountName, username: who.username, accessToken: tokens.accessToken }, notice });
  }
  const { name, session, parameters } = challenge;
  // Cognito wants its own name for the user in the answers, which is not what
  // the person signed in with where that was an e-mail address.
  const next = { clientId, accountName, username: parameters.USER_ID_FOR_SRP ?? who.username, session, device: parameters.FRIENDLY_DEVICE_NAME };
  if (name === 'SELECT_MFA_TYPE') {
    const reply = await answerChallenge(next, { challenge: name, answer: 'SOFTWARE_TOKEN_MFA' }, signal);
    return goOn(reply, { who: next, notice, send, signal });
  }
  if (!event[name]) {
    throw new Problem({ code: 'unknown_challenge', detail: `The user pool asks for ${name}, for which this demo has no screen.` });
  }
  return send(event[name], { who: next, notice });
}
