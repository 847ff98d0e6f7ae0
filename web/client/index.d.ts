import type { components } from './api.js';

type Schemas = components['schemas'];
export type Enrollment = Schemas['Enrollment'];
export type Verification = Schemas['Verification'];
export type SignIn = Schemas['SignIn'];
export type MfaStatus = Schemas['MfaStatus'];
export type Tokens = Schemas['Tokens'];
export type Challenge = Schemas['Challenge'];
export type StartTotpRequest = Schemas['StartTotpRequest'];
export type VerifyTotpRequest = Schemas['VerifyTotpRequest'];
export type TotpPreference = Schemas['TotpPreference'];
export type AnswerChallengeRequest = Schemas['AnswerChallengeRequest'];

/** The service's codes, and the two that this client adds. */
export type Code = Schemas['ProblemCode'] | 'unreachable' | 'unreadable';

/** The access token. With refresh: the last one was refused, give another if there is one. */
export type Token = (how?: { refresh: true }) => string | undefined | null | Promise<string | undefined | null>;

/** Called each second while a call waits to be repeated; 0 means that it is repeated now. */
export type OnWait = (problem: Problem, seconds: number) => void;

export interface Options {
  /** Where the service is; the page's own origin when left out. */
  baseUrl?: string;
  token?: Token | string;
  /** Milliseconds for one call; 20 000 when left out. */
  timeout?: number;
  /** Milliseconds in all for which a call is repeated; 120 000 when left out. */
  patience?: number;
  onWait?: OnWait;
  fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  onWait?: OnWait;
}

export interface Client {
  /** Starts an enrollment, or gets the one that is pending. */
  startTotp(request?: StartTotpRequest, options?: CallOptions): Promise<Enrollment>;
  /** Finishes an enrollment. With session, username and clientId it completes the sign-in as well. */
  verifyTotp(request: VerifyTotpRequest, options?: CallOptions): Promise<Verification>;
  /** The picture alone, of the pending enrollment. */
  getTotpQr(options?: CallOptions & { type?: 'image/png' | 'image/svg+xml' }): Promise<Blob>;
  /** Which second factors are on. */
  getMfa(options?: CallOptions): Promise<MfaStatus>;
  /** Switches the authenticator app on or off. */
  setTotpPreference(request: TotpPreference, options?: CallOptions): Promise<MfaStatus>;
  /** Answers a challenge of a sign-in. */
  answerChallenge(request: AnswerChallengeRequest, options?: CallOptions): Promise<SignIn>;
}

export function createClient(options?: Options): Client;

/** What every call throws, but for an abort: then it throws the signal's reason. */
export class Problem extends Error {
  constructor(document: { code: string; detail: string; [member: string]: unknown });
  readonly code: Code;
  readonly variant?: string;
  /** The HTTP status; none where the service was not reached. */
  readonly status?: number;
  readonly title?: string;
  /** For the person who sees the page, in English. */
  readonly detail: string;
  /** For whoever builds or runs the page. */
  readonly hint?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** How far the phone's clock is off; negative where it is behind. */
  readonly clockSkewSeconds?: number;
  readonly fields?: ReadonlyArray<Schemas['ProblemField']>;
  readonly requestId?: string;
  readonly poolMessage?: string;
  /** step_up_required: how old a sign-in may be, in seconds. */
  readonly maxAge?: number;
}

/** Whether another sign-in solves it: the person's fault or nobody's, and no mistake of the page's. */
export function signInHelps(problem: Pick<Problem, 'code' | 'variant'>): boolean;

/** What was typed as a code, as the service takes it: digits of every script become 0 to 9, and spaces, hyphens and dots go. */
export function normalizeCode(text: string): string;

/** Messages by id. A plural has one sentence for each form of Intl.PluralRules. */
export interface Catalogue {
  lang?: string;
  [id: string]: string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>) | undefined;
}

/** What a problem says to people, in the catalogue's language. */
export function describe(problem: Problem, catalogue?: Catalogue): string;

/** A message with its values. */
export function format(catalogue: Catalogue, id: string, values?: Record<string, unknown>): string | undefined;
