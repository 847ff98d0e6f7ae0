// Which screen is shown, and what leads from one to the next.
//
// `who` is the sign-in as far as it has come: the pool's client id, the
// username, and either an access token or the session of a challenge. `notice`
// is what the next screen should say first; it is shown once.

import { keep, kept } from './keep.js';

const transitions = {
  'sign-in': { signedIn: 'account', mustSetUp: 'set-up', mustProve: 'prove' },
  'prove': { signedIn: 'account', mustSetUp: 'set-up', mustProve: 'prove', signInAgain: 'sign-in' },
  'set-up': { signedIn: 'account', mustSetUp: 'set-up', mustProve: 'prove', cancelled: 'account', signInAgain: 'sign-in' },
  'account': { setUp: 'set-up', signInAgain: 'sign-in' },
};

/** Shows the first screen, and the next one whenever a screen sends an event. */
export function machine(render) {
  let state = { screen: 'sign-in', who: {}, notice: {}, ...kept() };

  function send(event, { who = state.who, notice = {} } = {}) {
    const screen = transitions[state.screen][event];
    if (!screen) throw new Error(`${state.screen} has no way out named ${event}`);
    state = { screen, who, notice };
    keep(state);
    render(state, send, false);
  }

  render(state, send, true);
}
