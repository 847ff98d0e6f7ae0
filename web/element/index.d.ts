import type { Catalogue, Challenge, Client, MfaStatus, Problem, Token, Tokens } from 'mfa-enrollment-client';

export interface EnabledDetail { mfa: MfaStatus; codeReusableIn: number }
export interface SignedInDetail { tokens: Tokens; codeReusableIn: number }
export interface ContinueDetail { next: MfaStatus['next']; skipped: boolean }
export interface SignInAgainDetail { code: string; reason: string; codeReusableIn: number }

/** None of them bubbles or is composed. */
export interface MfaEnrollmentEventMap extends HTMLElementEventMap {
  enabled: CustomEvent<EnabledDetail>;
  'signed-in': CustomEvent<SignedInDetail>;
  'sign-in-again': CustomEvent<SignInAgainDetail>;
  challenge: CustomEvent<{ challenge: Challenge }>;
  status: CustomEvent<{ mfa: MfaStatus }>;
  viewchange: CustomEvent<{ view: 'status' | 'invite' | 'set-up' | 'prove' }>;
  continue: CustomEvent<ContinueDetail>;
  problem: CustomEvent<{ problem: Problem }>;
}

export interface MfaEnrollmentProperties {
  /** The access token, or a function that gives it. */
  token?: Token | string | undefined;
  /** What Cognito asked for in mid-sign-in. */
  challenge?: Challenge | undefined;
  clientId?: string | undefined;
  username?: string | undefined;
  accountName?: string | undefined;
  /** What to begin with when signed in: the status, when left out, the set-up, or the invitation to it as a page or as a banner. */
  view?: 'status' | 'set-up' | 'invite' | 'banner' | undefined;
  baseUrl?: string | undefined;
  /** In place of token and baseUrl. */
  client?: Client | undefined;
  messages?: Catalogue | undefined;
  /** Seconds in which the code that was used last cannot be used again. */
  codeReusableIn?: number;
  headingLevel?: string | number | undefined;
  appStoreHref?: string | undefined;
  googlePlayHref?: string | undefined;
  lostPhoneHref?: string | undefined;
}

export class MfaEnrollment extends HTMLElement {
  addEventListener<K extends keyof MfaEnrollmentEventMap>(type: K, listener: (event: MfaEnrollmentEventMap[K]) => void, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}
export interface MfaEnrollment extends MfaEnrollmentProperties {}

declare global {
  interface HTMLElementTagNameMap { 'mfa-enrollment': MfaEnrollment }
}
