import type { Catalogue } from './index.js';
declare const messages: Catalogue;
export default messages;
