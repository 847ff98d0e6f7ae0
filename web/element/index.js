import { MfaEnrollment } from './element.js';

// A server that imports this has no elements to define.
if (globalThis.customElements && !customElements.get('mfa-enrollment')) customElements.define('mfa-enrollment', MfaEnrollment);

export { MfaEnrollment };
