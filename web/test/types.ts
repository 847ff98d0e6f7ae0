// Compiled under --strict, and never run: what the types must let a front end do.
import { createClient, describe, normalizeCode, Problem, signInHelps } from 'mfa-enrollment-client';
import de from 'mfa-enrollment-client/messages/de.js';

const client = createClient({ token: async (how) => (how?.refresh ? undefined : 'token') });

export async function enroll(code: string): Promise<string> {
  try {
    const { qrCode, expiresIn } = await client.startTotp();
    const result = await client.verifyTotp({ code });
    switch (result.outcome) {
      case 'enabled': return `${qrCode} ${expiresIn} ${result.mfa.totp.enabled}`;
      case 'signed_in': return result.tokens.accessToken;
      case 'challenge': return result.challenge.name;
      case 'verified': return result.session;
    }
  } catch (error) {
    if (!(error instanceof Problem) || signInHelps(error)) throw error;
    // @ts-expect-error There is no such code.
    if (error.code === 'no_such_code') return '';
    return error.code === 'code_mismatch' ? `${error.clockSkewSeconds}` : describe(error, de);
  }
}

import 'mfa-enrollment-element';
import { createElement } from 'react';
import { MfaEnrollment, useMfaEnrollment } from 'mfa-enrollment-react';

const element = document.createElement('mfa-enrollment');
element.messages = { ...de, 'set_up.title': 'Titel' };
element.challenge = { name: 'MFA_SETUP', session: 's', parameters: {} };
element.addEventListener('signed-in', ({ detail }) => detail.tokens.accessToken.length);
element.addEventListener('sign-in-again', ({ detail }) => detail.reason.length);
// @ts-expect-error There is no such member.
element.addEventListener('enabled', ({ detail }) => detail.tokens);

export const component = createElement(MfaEnrollment, { token: () => 'token', view: 'set-up', onDone: ({ mfa, tokens }) => mfa?.totp ?? tokens?.accessToken });

export function Hook() {
  const { step, enrollment, verified, verify, secondsLeft } = useMfaEnrollment({ client, onDone: (result) => { if (result.outcome === 'signed_in') void result.tokens.accessToken; } });
  void verify('123456', { deviceName: 'phone' });
  return createElement('p', null, step, verified ? normalizeCode('1 2') : enrollment?.qrCode, secondsLeft);
}
