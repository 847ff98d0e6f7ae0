// A client whose requests and replies are checked against openapi.yaml when
// this is compiled.

import createClient, { type Client } from 'openapi-fetch';

import type { components, paths } from './api.js';

export type Enrollment = components['schemas']['Enrollment'];
export type MfaStatus = components['schemas']['MfaStatus'];
export type Problem = components['schemas']['Problem'];
export type SignIn = components['schemas']['SignIn'];
export type Tokens = components['schemas']['Tokens'];

export type MfaClient = Client<paths>;

/** A client of the service at baseUrl, such as https://mfa.example.com. */
export function mfaClient(baseUrl: string): MfaClient {
  return createClient<paths>({ baseUrl, cache: 'no-store' });
}

/** A refusal. Branch on problem.code; problem.detail is written for people. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
  }
}

/**
 * Makes a call, and makes it again after the time in Retry-After while the
 * service is busy. Nothing is lost meanwhile. Any other refusal is thrown.
 */
export async function patiently<T>(call: () => Promise<{ data?: T; error?: Problem }>, mostTries = 10): Promise<T> {
  for (let tries = 1; ; tries++) {
    const { data, error } = await call();
    if (data !== undefined) return data;
    if (!error) throw new Error('a reply without a body');
    if (error.code !== 'busy' || tries === mostTries) throw new ProblemError(error);
    // Up to a second more keeps all who wait from coming back at one moment.
    await new Promise((resolve) => setTimeout(resolve, ((error.retryAfter ?? 1) + Math.random()) * 1000));
  }
}
