// oidc-client-ts 3 with Cognito's managed login.

/**
 * For new UserManager(…). authority is the pool's issuer, such as
 * https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Abcdefghi; Cognito's
 * discovery document there names the pages of managed login.
 */
export const settings = (authority, clientId, redirectUri) => ({
  authority,
  client_id: clientId,
  redirect_uri: redirectUri,
  // Without the second one this service answers insufficient_scope. Allow both for
  // the app client as well.
  scope: 'openid aws.cognito.signin.user.admin',
});

/** The token for createClient and <mfa-enrollment>. */
export const token = (users) => async (how) => {
  const user = how?.refresh ? await users.signinSilent() : await users.getUser();
  return user?.access_token;
};

/**
 * For signinRedirect(…) after step_up_required: another sign-in, although managed
 * login still knows the person. state comes back in the user of
 * signinRedirectCallback, so that the page can go on where it stopped.
 */
export const stepUp = (problem, state) => ({ prompt: 'login', max_age: problem.maxAge, state });
