// Starts the page: reads what the demo serves, and shows the screen that the
// machine is in. Everything else is in the module that is named for it.

import { cognito } from './cognito.js';
import { machine } from './machine.js';
import { account } from './screens/account.js';
import { prove } from './screens/prove.js';
import { setUp } from './screens/set-up.js';
import { signIn } from './screens/sign-in.js';
import { announce, show } from './view.js';

const screens = {
  'sign-in': { render: signIn, title: 'Sign in' },
  'prove': { render: prove, title: 'Enter your code' },
  'set-up': { render: setUp, title: 'Set up your authenticator app' },
  'account': { render: account, title: 'Sign-in security' },
};

const reply = await fetch('/demo.json');
const demo = await reply.json();

let current; // the AbortController of the screen that is shown

machine((state, send, first) => {
  // Leaving a screen ends everything it began: its requests and its timers.
  current?.abort();
  current = new AbortController();
  const { render, title } = screens[state.screen];
  document.title = `${title} · mfa-enrollment demo`;
  announce(state.notice.reason ?? state.notice.done ?? '');
  const view = show(state.screen);
  render(view, { ...state, demo, cognito: cognito(demo), send, signal: current.signal });
  // The focus goes along, so that a keyboard goes on from here and a screen
  // reader says where it is. A page that has just loaded is read by itself.
  if (!first) (view.querySelector('[data-focus]') ?? view.querySelector('h1')).focus();
});
