import 'mfa-enrollment-element';
import { keep } from '../keep.js';
import { parts } from '../view.js';

const titles = { status: 'Sign-in security', invite: 'Protect your account', 'set-up': 'Set up your authenticator app', prove: 'Enter your code' };

/** The element does the work. The page keeps the tokens and says where to go. */
export function account(view, { who, notice, demo, go }) {
  const part = parts(view);
  const element = part.element;
  const { clientId, username } = who;
  let codeReusableAt = notice.codeReusableAt ?? 0;
  const onEvent = (type, listener) => element.addEventListener(type, ({ detail }) => listener(detail));
  const remember = (change) => { who = { ...who, ...change }; keep(who); };
  const signInAgain = (more) => go({ clientId, username }, more);

  part.username.textContent = username;
  part.mfa.textContent = demo.pools.find((pool) => pool.clientId === clientId).mfa;
  part.who.hidden = part['sign-out'].hidden = !who.accessToken;

  onEvent('viewchange', ({ view: shown }) => {
    document.title = `${titles[shown]} · mfa-enrollment demo`;
    view.classList.toggle('narrow', shown !== 'set-up');
    part.prove.hidden = true;
    if (who.accessToken) remember({ view: shown });
  });
  onEvent('status', ({ mfa }) => { part.prove.hidden = !mfa.totp.enabled; });
  onEvent('enabled', ({ codeReusableIn }) => { codeReusableAt = Date.now() + codeReusableIn * 1000; });
  onEvent('signed-in', ({ tokens, codeReusableIn }) => {
    codeReusableAt = Date.now() + codeReusableIn * 1000;
    remember({ challenge: undefined, accessToken: tokens.accessToken });
    part.who.hidden = part['sign-out'].hidden = false;
    element.challenge = undefined;
    element.token = tokens.accessToken;
  });
  onEvent('sign-in-again', ({ reason }) => signInAgain({ reason, codeReusableAt }));
  // What the operator's policy asks for comes first, and is asked once in this window.
  onEvent('continue', ({ skipped }) => { remember({ asked: true, skipped }); go(who); });
  onEvent('cancel', () => {
    if (!who.accessToken) return signInAgain();
    element.view = 'status';
  });
  part.prove.addEventListener('click', () => signInAgain({ codeReusableAt }));
  part['sign-out'].addEventListener('click', () => signInAgain({ reason: 'You are signed out.' }));

  Object.assign(element, {
    clientId, username, headingLevel: 1, view: who.view === 'set-up' ? 'set-up' : demo.asks && who.accessToken && !who.asked ? 'invite' : 'status',
    codeReusableIn: (codeReusableAt - Date.now()) / 1000,
    appStoreHref: 'https://apps.apple.com/app/google-authenticator/id388497605',
    googlePlayHref: 'https://play.google.com/store/apps/details?id=com.google.android.apps.authenticator2',
    lostPhoneHref: '#lost-phone',
    token: who.accessToken, challenge: who.challenge,
  });

  if (who.skipped && who.accessToken) {
    const { strip } = part;
    const banner = document.createElement('mfa-enrollment');
    strip.append(banner);
    banner.addEventListener('status', ({ detail }) => { strip.hidden = detail.mfa.next === 'none'; });
    for (const type of ['continue', 'enabled']) {
      banner.addEventListener(type, () => { remember({ skipped: false }); go(who); });
    }
    banner.addEventListener('viewchange', ({ detail }) => { element.hidden = detail.view === 'set-up'; });
    banner.addEventListener('sign-in-again', ({ detail }) => signInAgain({ reason: detail.reason }));
    Object.assign(banner, { clientId, username, headingLevel: 2, view: 'banner', token: who.accessToken });
  }
}
