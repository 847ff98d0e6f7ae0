import { createElement, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { normalizeCode, Problem, signInHelps } from 'mfa-enrollment-client';
import 'mfa-enrollment-element';

const properties = ['token', 'challenge', 'client', 'clientId', 'username', 'accountName', 'view', 'baseUrl', 'messages', 'codeReusableIn', 'headingLevel', 'appStoreHref', 'googlePlayHref', 'lostPhoneHref'];
const events = {
  enabled: 'onDone', 'signed-in': 'onDone', 'sign-in-again': 'onSignInAgain', cancel: 'onCancel',
  challenge: 'onChallenge', continue: 'onContinue', status: 'onStatus', viewchange: 'onViewChange', problem: 'onProblem',
};

// A server draws nothing and has no layout.
const useEarlyEffect = typeof document === 'undefined' ? useEffect : useLayoutEffect;

/** The element <mfa-enrollment> with its properties as props, and its events as functions. */
export function MfaEnrollment(props) {
  const element = useRef(null);
  const latest = useRef(props);
  latest.current = props;

  useEarlyEffect(() => {
    const { current } = element;
    const listeners = Object.entries(events).map(([type, prop]) => [type, ({ detail }) => latest.current[prop]?.(detail)]);
    for (const [type, listener] of listeners) current.addEventListener(type, listener);
    return () => listeners.forEach(([type, listener]) => current.removeEventListener(type, listener));
  }, []);

  const before = useRef({});
  useEarlyEffect(() => {
    for (const name of properties) {
      if (props[name] === before.current[name]) continue;
      element.current[name] = props[name];
    }
    before.current = props;
  });

  const { className, style, id, children } = props;
  return createElement('mfa-enrollment', { ref: element, class: className, style, id }, children);
}

/** Problems after which this QR code is worth nothing. */
const startWanted = ['enrollment_replaced', 'no_pending_enrollment'];

/** Sets an authenticator app up: by the client's token, or with the challenge MFA_SETUP in mid-sign-in. */
export function useMfaEnrollment({ client, challenge, clientId, username, accountName, onDone, onSignInAgain }) {
  const [state, setState] = useState({ step: 'loading' });
  const [secondsLeft, setSecondsLeft] = useState();
  const [waiting, setWaiting] = useState();
  const [checking, setChecking] = useState(false);
  const [copied, setCopied] = useState(false);
  const [round, setRound] = useState({});
  const renew = useRef(false); // a wish for a new QR code, until it is asked for
  const tell = useRef({});
  tell.current = { onDone, onSignInAgain };
  const signal = useRef();
  const busy = useRef(false);
  const user = challenge?.parameters?.USER_ID_FOR_SRP ?? username;

  const end = useCallback((problem) => {
    setState({ step: 'ended', problem });
    tell.current.onSignInAgain?.({ code: problem.code, reason: problem.detail, problem });
  }, []);

  /** A call of this round. It gives nothing when the round is over, or it was refused. */
  const attempt = useCallback(async (call, refused) => {
    const { current } = signal;
    const onWait = (problem, seconds) => setWaiting(seconds > 0 && !current.aborted ? { problem, seconds } : undefined);
    try {
      const reply = await call({ signal: current, onWait });
      return current.aborted ? undefined : reply;
    } catch (error) {
      if (current.aborted) return undefined;
      if (!(error instanceof Problem)) throw error;
      setWaiting(undefined);
      if (signInHelps(error)) end(error);
      else await refused(error);
      return undefined;
    }
  }, [end]);

  // A second mount, a reload or a fresher token asks again and gets the same
  // pending enrollment, so nothing here needs to be remembered or held back.
  const session = challenge?.session;
  useEffect(() => {
    const left = new AbortController();
    signal.current = left.signal;
    setState({ step: 'loading' });
    const label = accountName ?? (session && username);
    const request = { ...(label && { accountName: label }), ...(session ? { session } : { renew: renew.current }) };
    renew.current = false;
    attempt((how) => client.startTotp(request, how), (problem) => setState({ step: 'failed', problem }))
      .then((enrollment) => enrollment && setState({ step: 'scan', enrollment, end: Date.now() + enrollment.expiresIn * 1000 }));
    return () => left.abort();
  }, [client, session, accountName, username, round, attempt]);

  useEffect(() => {
    if (state.step !== 'scan') return undefined;
    const tick = () => {
      const left = Math.max(0, Math.ceil((state.end - Date.now()) / 1000));
      setSecondsLeft(left);
      if (left > 0 || busy.current) return; // what comes of a code that was sent in time counts
      const problem = new Problem(session
        ? { code: 'session_expired', detail: 'The sign-in took too long or was continued elsewhere. Sign in again.' }
        : { code: 'no_pending_enrollment', detail: 'This QR code has expired. If you have scanned it, delete that entry from your app.' });
      if (session) end(problem);
      else setState({ step: 'failed', problem });
    };
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [state.step, state.end, session, end]);

  const done = useCallback((result) => {
    setState({ step: 'done' });
    tell.current.onDone?.(result);
  }, []);

  /** The code was right. Only the last step is missing: start repeats it alone. */
  const finish = useCallback(async (last) => {
    const again = () => { setState({ step: 'loading' }); finish(last); };
    const result = await attempt(last, (problem) => setState({ step: 'failed', problem, again }));
    if (result) done(result);
  }, [attempt, done]);

  const complete = useCallback((result) => {
    if (result.outcome !== 'verified') return done(result);
    const { session: next, codeReusableIn } = result;
    return finish(async (how) => ({ ...(await client.answerChallenge({ challenge: 'MFA_SETUP', session: next, username: user, clientId }, how)), codeReusableIn }));
  }, [finish, client, user, clientId, done]);

  const switchOn = useCallback(async (problem) => {
    const { current } = signal;
    for (let seconds = problem.retryAfter ?? 1; seconds > 0 && !current.aborted; seconds--) {
      setWaiting({ problem, seconds });
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
    }
    if (current.aborted) return;
    setWaiting(undefined);
    await finish(async (how) => ({ outcome: 'enabled', mfa: await client.setTotpPreference({ enabled: true, preferred: true }, how) }));
  }, [finish, client]);

  const { enrollment } = state;
  const verify = useCallback(async (code, { deviceName } = {}) => {
    if (state.step !== 'scan' || busy.current) return;
    busy.current = true;
    setChecking(true);
    const request = { code: normalizeCode(code), ...(deviceName && { deviceName }), ...(session && { session: enrollment.session, username: user, clientId }) };
    try {
      const result = await attempt((how) => client.verifyTotp(request, how), (problem) => {
        if (problem.code === 'verified_not_enabled') return switchOn(problem);
        const over = startWanted.includes(problem.code);
        return setState((now) => (over ? { step: 'failed', problem } : { ...now, problem }));
      });
      if (result) await complete(result);
    } finally {
      busy.current = false;
      setChecking(false);
    }
  }, [state.step, enrollment, session, user, clientId, client, attempt, complete, switchOn]);

  const { again } = state;
  const start = useCallback((how) => {
    if (again) return again();
    renew.current = how?.renew ?? false;
    return setRound({});
  }, [again]);
  const copy = useCallback(async () => {
    await navigator.clipboard.writeText(enrollment.secret);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  }, [enrollment]);

  return { step: state.step, enrollment, secondsLeft, problem: state.problem, verified: Boolean(again), waiting, checking, verify, start, copy, copied };
}
