import { useCallback, useEffect, useRef, useState } from 'react';

import type { components } from './api.js';

type Enrollment = components['schemas']['Enrollment'];
type Problem = components['schemas']['Problem'];

/** Where the enrollment is. The secret is in here and goes nowhere else: no storage, no analytics. */
export type State =
  | { step: 'loading'; problem?: Problem } // with a problem: busy, and trying again by itself
  | { step: 'scan'; enrollment: Enrollment; problem?: Problem } // with a problem: what was wrong with the last code
  | { step: 'failed'; problem: Problem }
  | { step: 'done' };

/** Sets an authenticator app up for the bearer of an access token. */
export function useTotpEnrollment(accessToken: string, baseUrl = '') {
  const [state, setState] = useState<State>({ step: 'loading' });
  const [round, setRound] = useState(0);
  const verifying = useRef(false);

  const call = useCallback(
    async <T,>(method: string, path: string, body: object, signal?: AbortSignal): Promise<T> => {
      const headers = { Accept: 'application/json', Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' };
      const reply = await fetch(baseUrl + path, { method, headers, body: JSON.stringify(body), cache: 'no-store', signal: signal ?? null });
      const document: unknown = await reply.json();
      if (!reply.ok) throw document;
      return document as T;
    },
    [accessToken, baseUrl],
  );

  // A second mount, a reload or a refreshed token asks again and gets the same
  // pending enrollment, so nothing here needs to be remembered or held back.
  useEffect(() => {
    const left = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const start = async () => {
      try {
        const enrollment = await call<Enrollment>('POST', '/v1/mfa/totp', {}, left.signal);
        if (!left.signal.aborted) setState({ step: 'scan', enrollment });
      } catch (error) {
        if (left.signal.aborted) return;
        const problem = asProblem(error);
        const passes = problem.code === 'busy' || problem.code === 'too_many_requests';
        setState({ step: passes ? 'loading' : 'failed', problem });
        if (passes) timer = setTimeout(start, ((problem.retryAfter ?? 1) + Math.random()) * 1000);
      }
    };
    setState({ step: 'loading' });
    void start();
    return () => { left.abort(); clearTimeout(timer); };
  }, [call, round]);

  /** Sends a code of six digits, once at a time. */
  const verify = async (code: string, deviceName: string) => {
    if (state.step !== 'scan' || verifying.current) return;
    verifying.current = true;
    try {
      await call('POST', '/v1/mfa/totp/verify', { code, ...(deviceName && { deviceName }) });
      setState({ step: 'done' });
    } catch (error) {
      let problem = asProblem(error);
      if (problem.code === 'verified_not_enabled') {
        // The code was right: only switching on is missing, and needs no other code.
        try {
          await call('PUT', '/v1/mfa/totp/preference', { enabled: true });
          return setState({ step: 'done' });
        } catch (again) {
          problem = asProblem(again);
        }
      }
      const correctable = ['code_mismatch', 'superseded_code', 'code_already_used', 'too_many_requests', 'busy'].includes(problem.code);
      setState(correctable ? { ...state, problem } : { step: 'failed', problem });
    } finally {
      verifying.current = false;
    }
  };

  return { state, verify, restart: () => setRound(round + 1) };
}

/** What was thrown, as a problem: what is not one is a connection that failed. */
function asProblem(error: unknown): Problem {
  if (error && typeof error === 'object' && 'code' in error && 'detail' in error) return error as Problem;
  return { type: 'about:blank', title: '', status: 0, code: 'upstream_unavailable', detail: 'The service cannot be reached. Try again in a moment.', requestId: '' };
}
