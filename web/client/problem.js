// What the service cannot say itself, in words for people.
const own = {
  unreachable: 'The service cannot be reached. Check your connection, then try again.',
  'unreachable.timeout': 'The service does not answer. Check your connection, then try again.',
  unreadable: 'The reply makes no sense. Try again in a moment.',
};

/**
 * Why a call did not succeed: a problem document of the service (RFC 9457), or
 * `unreachable` (variant `timeout` where it was only too slow) and `unreadable`,
 * which this client adds. Branch on code; show detail, or translate by code and
 * variant; log hint.
 */
export class Problem extends Error {
  constructor(document) {
    super(document.detail);
    this.name = 'Problem';
    for (const member of ['code', 'variant', 'status', 'title', 'detail', 'hint', 'retryAfter', 'clockSkewSeconds', 'fields', 'requestId', 'poolMessage', 'maxAge']) {
      this[member] = document[member];
    }
  }
}

/** A problem that this client adds. */
export function ownProblem(code, variant) {
  return new Problem({ code, variant, detail: own[variant ? `${code}.${variant}` : code] });
}

/** Problems that another sign-in solves. */
const bySignIn = ['session_expired', 'invalid_token', 'missing_credential', 'step_up_required', 'user_not_found', 'user_not_confirmed', 'password_reset_required'];
/** Their variants that are a mistake of the page's, which it would make again. */
const ofThePage = ['invalid_token.session', 'invalid_token.client_credentials', 'missing_credential.no_scheme'];

/** Whether another sign-in solves it. */
export function signInHelps({ code, variant }) {
  return bySignIn.includes(code) && !ofThePage.includes(`${code}.${variant}`);
}
