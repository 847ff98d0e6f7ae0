export { createClient } from './client.js';
export { normalizeCode } from './digits.js';
export { describe, format } from './message.js';
export { Problem, signInHelps } from './problem.js';
