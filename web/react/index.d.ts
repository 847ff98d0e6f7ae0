import type { CSSProperties, ReactElement, ReactNode } from 'react';
import type { Challenge, Client, Enrollment, MfaStatus, Problem, Tokens } from 'mfa-enrollment-client';
import type { ContinueDetail, MfaEnrollmentProperties, SignInAgainDetail } from 'mfa-enrollment-element';

export interface MfaEnrollmentProps extends MfaEnrollmentProperties {
  /** The app is on (mfa), or the sign-in is complete (tokens). */
  onDone?: (detail: { mfa?: MfaStatus; tokens?: Tokens; codeReusableIn: number }) => void;
  /** Only another sign-in helps. */
  onSignInAgain?: (detail: SignInAgainDetail) => void;
  onCancel?: () => void;
  onChallenge?: (detail: { challenge: Challenge }) => void;
  onStatus?: (detail: { mfa: MfaStatus }) => void;
  /** The invitation asks for nothing, or the person skipped it. */
  onContinue?: (detail: ContinueDetail) => void;
  onViewChange?: (detail: { view: 'status' | 'invite' | 'set-up' | 'prove' }) => void;
  onProblem?: (detail: { problem: Problem }) => void;
  className?: string;
  style?: CSSProperties;
  id?: string;
  children?: ReactNode;
}

export function MfaEnrollment(props: MfaEnrollmentProps): ReactElement;

export interface UseMfaEnrollmentOptions {
  /** Keep it with useMemo: another client begins again. */
  client: Client;
  /** MFA_SETUP, in mid-sign-in. */
  challenge?: Challenge;
  clientId?: string;
  username?: string;
  accountName?: string;
  onDone?: (result:
    | { outcome: 'enabled'; mfa: MfaStatus; codeReusableIn?: number }
    | { outcome: 'signed_in'; tokens: Tokens; codeReusableIn?: number }
    | { outcome: 'challenge'; challenge: Challenge; codeReusableIn?: number }) => void;
  onSignInAgain?: (why: { code: string; reason: string; problem: Problem }) => void;
}

export interface UseMfaEnrollment {
  step: 'loading' | 'scan' | 'failed' | 'ended' | 'done';
  /** While step is scan. */
  enrollment: Enrollment | undefined;
  secondsLeft: number | undefined;
  problem: Problem | undefined;
  /** The code was right, and only the last step failed: start repeats that step alone. */
  verified: boolean;
  waiting: { problem: Problem; seconds: number } | undefined;
  checking: boolean;
  verify(code: string, more?: { deviceName?: string }): Promise<void>;
  start(how?: { renew?: boolean }): void;
  copy(): Promise<void>;
  copied: boolean;
}

export function useMfaEnrollment(options: UseMfaEnrollmentOptions): UseMfaEnrollment;
