// amazon-cognito-identity-js 6 in mid-sign-in: the pool requires a second factor.
import { CognitoAccessToken, CognitoIdToken, CognitoRefreshToken, CognitoUserSession } from 'amazon-cognito-identity-js';

/**
 * What to set up an app with, in the callback `mfaSetup` of authenticateUser: for
 * <mfa-enrollment> its `challenge`, for the client its `session` and `username`.
 * Do not call associateSoftwareToken: the service does that.
 */
export function challengeOf(user, parameters) {
  // user.Session is not declared in the types; the library's users read it all the same.
  return { name: 'MFA_SETUP', session: user.Session, parameters: { ...parameters, USER_ID_FOR_SRP: user.getUsername() } };
}

/** Gives the library the tokens, as if it had finished the sign-in itself. */
export function keep(user, { accessToken, idToken, refreshToken }) {
  user.setSignInUserSession(new CognitoUserSession({
    AccessToken: new CognitoAccessToken({ AccessToken: accessToken }),
    IdToken: new CognitoIdToken({ IdToken: idToken }),
    RefreshToken: new CognitoRefreshToken({ RefreshToken: refreshToken }),
  }));
}
