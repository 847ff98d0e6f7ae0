// Starts the page: reads what the demo serves, and shows the sign-in or, from where
// Cognito takes over from the password, the element <mfa-enrollment>.

import { cognito } from './cognito.js';
import { keep, kept } from './keep.js';
import { account } from './screens/account.js';
import { signIn } from './screens/sign-in.js';
import { announce, parts, show } from './view.js';

/** What the demo serves about itself, or nothing. */
async function settings() {
  try {
    const reply = await fetch('/demo.json');
    return reply.ok ? await reply.json() : undefined;
  } catch {
    return undefined;
  }
}

const demo = await settings();

/**
 * Shows who has come how far. `who` is the client id, the username and either an
 * access token or a challenge; `notice` is what the next screen says first.
 */
function go(who = {}, notice = {}) {
  keep(who);
  render(who, notice);
  announce(notice.reason ?? '');
  // The focus goes along, so that a keyboard goes on from here and a screen reader
  // says where it is. A page that has just loaded is read by itself.
  (document.querySelector('mfa-enrollment') ?? document.querySelector('h1')).focus();
}

function render(who, notice) {
  const signedIn = who.accessToken || who.challenge;
  document.title = 'Sign in · mfa-enrollment demo';
  const view = show(signedIn ? 'account' : 'sign-in');
  (signedIn ? account : signIn)(view, { who, notice, demo, cognito: cognito(demo), go });
}

if (demo) {
  render(kept(), {});
} else {
  parts(show('no-demo')).again.addEventListener('click', () => location.reload());
}
