// Amplify (JavaScript, v6) in mid-sign-in: the pool requires a second factor.
import { decodeJWT, getCurrentUser } from 'aws-amplify/auth';
import { cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito';
import { Hub } from 'aws-amplify/utils';

// Where Amplify keeps a sign-in that has not ended. It is an internal of Amplify,
// seen in 6.22.1 and in no document: pin the version, and test after each upgrade.
const state = 'CognitoSignInState';

/**
 * What to set up an app with, after signIn returned CONTINUE_SIGN_IN_WITH_TOTP_SETUP:
 * for <mfa-enrollment> its `challenge`, for the client its `session` and `username`.
 * Amplify has asked Cognito for a secret by then; nobody sees that one, and ours
 * replaces it. Do not call confirmSignIn.
 */
export function challenge() {
  const [session, username] = ['signInSession', 'username'].map((name) => sessionStorage.getItem(`${state}.${name}`));
  if (!session || !username) throw new Error('Amplify keeps its sign-in elsewhere now');
  return { name: 'MFA_SETUP', session, parameters: { USER_ID_FOR_SRP: username } };
}

/** Gives Amplify the tokens, as if it had finished the sign-in itself. */
export async function keep({ accessToken, idToken, refreshToken }) {
  const access = decodeJWT(accessToken);
  await cognitoUserPoolsTokenProvider.tokenOrchestrator.setTokens({
    tokens: {
      accessToken: access, idToken: decodeJWT(idToken), refreshToken,
      clockDrift: access.payload.iat * 1000 - Date.now(),
      username: access.payload.username,
    },
  });
  for (const name of ['username', 'challengeName', 'signInSession', 'expiry']) sessionStorage.removeItem(`${state}.${name}`);
  Hub.dispatch('auth', { event: 'signedIn', data: await getCurrentUser() }, 'Auth');
}
