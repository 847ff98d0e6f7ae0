// Compiled under --strict, and never run: what the types must let a front end do.
import { createClient, describe, Problem } from 'mfa-enrollment-client';
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
    if (!(error instanceof Problem)) throw error;
    // @ts-expect-error There is no such code.
    if (error.code === 'no_such_code') return '';
    return error.code === 'code_mismatch' ? `${error.clockSkewSeconds}` : describe(error, de);
  }
}
