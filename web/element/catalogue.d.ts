import type { Catalogue } from 'mfa-enrollment-client';
declare const messages: Catalogue;
export default messages;
