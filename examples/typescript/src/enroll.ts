// Both ways through an enrollment. They show the enrollment to the person with
// `ask`, which resolves to the six digits that the authenticator app shows.

import { patiently, ProblemError, type Enrollment, type MfaClient, type MfaStatus, type Problem, type SignIn } from './client.js';

/** Shows the QR code or the link, and after a wrong code the problem as well. */
export type Ask = (enrollment: Enrollment, problem?: Problem) => Promise<string>;

/** For somebody who is signed in: ends with the authenticator app switched on. */
export async function enrollByToken(client: MfaClient, accessToken: string, ask: Ask): Promise<MfaStatus> {
  const headers = { Authorization: `Bearer ${accessToken}` };
  const enrollment = await patiently(() => client.POST('/v1/mfa/totp', { headers, body: {} }));
  try {
    const reply = await untilRight(enrollment, ask, (code) => client.POST('/v1/mfa/totp/verify', { headers, body: { code } }));
    if (reply.outcome !== 'enabled') throw new Error(`a verification by token with the outcome ${reply.outcome}`);
    return reply.mfa;
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'verified_not_enabled') throw error;
    // The code was right, and no other one is needed.
    return patiently(() => client.PUT('/v1/mfa/totp/preference', { headers, body: { enabled: true } }));
  }
}

/** What is known of somebody who is signing in: the challenge MFA_SETUP and its answer's names. */
export interface SigningIn {
  /** The session of the challenge MFA_SETUP. */
  readonly session: string;
  /** USER_ID_FOR_SRP of the challenge's parameters. */
  readonly username: string;
  readonly clientId: string;
  /** How the app names the account; the service cannot look it up yet. */
  readonly accountName: string;
}

/** For somebody in mid-sign-in: ends with tokens, or with one more challenge. */
export async function enrollBySession(client: MfaClient, who: SigningIn, ask: Ask): Promise<SignIn> {
  const { username, clientId, accountName } = who;
  const enrollment = await patiently(() => client.POST('/v1/mfa/totp', { body: { session: who.session, accountName } }));
  const { session } = enrollment;
  if (!session) throw new Error('an enrollment by session without the next session');

  const reply = await untilRight(enrollment, ask, (code) => client.POST('/v1/mfa/totp/verify', { body: { session, code, username, clientId } }));
  switch (reply.outcome) {
    case 'signed_in':
    case 'challenge':
      return reply;
    case 'verified': // The code was right, and the last step did not succeed: that alone is repeated.
      return patiently(() => client.POST('/v1/auth/challenge', { body: { challenge: 'MFA_SETUP', session: reply.session, username, clientId } }));
    default:
      throw new Error(`a verification by session with the outcome ${reply.outcome}`);
  }
}

/** Asks for codes until one is right. A wrong one costs nothing. */
async function untilRight<T>(enrollment: Enrollment, ask: Ask, verify: (code: string) => Promise<{ data?: T; error?: Problem }>): Promise<T> {
  let problem: Problem | undefined;
  for (;;) {
    const code = await ask(enrollment, problem);
    try {
      return await patiently(() => verify(code));
    } catch (error) {
      if (!(error instanceof ProblemError) || !['code_mismatch', 'superseded_code', 'code_already_used'].includes(error.problem.code)) throw error;
      problem = error.problem;
    }
  }
}
