import { createClient, describe, format, Problem, signInHelps } from 'mfa-enrollment-client';
import { codeForm } from './code-form.js';
import { countDown, minutesAndSeconds } from './countdown.js';
import { button, h, say } from './dom.js';
import english from './messages/en.js';
import { sheet } from './style.js';
import * as views from './views.js';

/** Problems after which this QR code is worth nothing. */
const startWanted = ['enrollment_replaced', 'no_pending_enrollment'];
/** Problems of a code, after which the next one may be right. */
const wrongCode = ['code_mismatch', 'superseded_code', 'code_already_used', 'invalid_request.code'];
/** Problems that pass: the same can be sent again. */
const passing = ['unreachable', 'unreadable', 'upstream_unavailable', 'upstream_timeout', 'internal', 'busy', 'too_many_requests', 'not_offered_here'];
/** A code that is not known here, of a newer service, is told by its status. */
const passes = ({ code, status }) => passing.includes(code) || status >= 500;

const attributes = ['base-url', 'view', 'account-name', 'client-id', 'username', 'heading-level', 'app-store-href', 'google-play-href', 'lost-phone-href'];
const property = (attribute) => attribute.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

const same = (a, b) => Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((id) => a[id] === b[id]);

/** The seconds left at which a screen reader is told so. */
const moments = [300, 60, 20];

/**
 * <mfa-enrollment>. Its state is what the service's last outcome says: waiting,
 * status, scan, prove, failed, ended (sign in again) or done. #view is the screen
 * that the state belongs to: status, invite, set-up or prove.
 */
export class MfaEnrollment extends (globalThis.HTMLElement ?? class {}) {
  static observedAttributes = attributes;

  #state = { name: 'idle' };
  #view;
  #left = new AbortController(); // ends what the screen that is left began
  #client;
  #signIn; // { clientId, username, session, device }, in mid-sign-in
  #given = {}; // what was set as a property alone
  #reusableAt = 0;
  #shown = {}; // the nodes of the state that change
  #form;
  #sent; // a promise: what came of the last code
  #planned = false;
  #hasSetUp = false;
  #wantsFocus = false;
  #clock;

  constructor() {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [sheet()];
  }

  get token() { return this.#given.token; }
  set token(token) {
    this.#given.token = token ?? undefined;
    if (['idle', 'ended', 'done'].includes(this.#state.name) && !this.challenge) this.#plan();
  }

  get challenge() { return this.#given.challenge; }
  set challenge(challenge) {
    const before = this.#given.challenge;
    this.#given.challenge = challenge ?? undefined;
    if (before?.session !== challenge?.session || before?.name !== challenge?.name) this.#plan();
  }

  get client() { return this.#given.client; }
  set client(client) {
    if (client === this.#given.client) return;
    this.#given.client = client;
    this.#plan();
  }

  get messages() { return this.#given.messages ?? english; }
  set messages(messages) {
    const before = this.messages;
    this.#given.messages = messages ?? undefined;
    // React and others give another object each time that a page is drawn.
    if (this.#view && !same(before, this.messages)) this.#render();
  }

  get codeReusableIn() { return Math.max(0, Math.ceil((this.#reusableAt - Date.now()) / 1000)); }
  set codeReusableIn(seconds) { this.#reusableAt = Date.now() + (seconds ?? 0) * 1000; }

  connectedCallback() {
    // Properties that were set before the element was defined hide the accessors.
    for (const name of ['token', 'challenge', 'client', 'messages', 'codeReusableIn', ...attributes.map(property)]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    document.addEventListener('keydown', this.#typed);
    this.#plan();
  }

  disconnectedCallback() {
    document.removeEventListener('keydown', this.#typed);
    this.#left.abort();
    this.#view = undefined;
    this.#clear(); // the secret is in there
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (name === 'view' ? after !== this.#view : ['base-url', 'client-id'].includes(name)) this.#plan();
    else if (this.#view) this.#render();
  }

  /** Gives the heading the focus, so that a keyboard and a screen reader go on from here. */
  focus() {
    if (this.#shown.heading) this.#shown.heading.focus();
    else this.#wantsFocus = true;
  }

  #plan() {
    if (this.#planned || !this.isConnected) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.isConnected) this.#begin();
    });
  }

  #begin() {
    const notice = this.#state.name === 'done' && this.#hasSetUp ? 'set_up.done' : undefined;
    this.#signIn = undefined;
    this.#client = this.client ?? createClient({ baseUrl: this.baseUrl ?? undefined, token: (how) => (typeof this.token === 'function' ? this.token(how) : this.token) });
    if (this.challenge) return this.#follow(this.challenge);
    if (!this.client && !this.token) return;
    if (this.view === 'set-up') return this.#start();
    if (this.#invites) return this.#showInvite();
    this.#showStatus({ notice });
  }

  // Words.

  #t = (id, values) => format(this.messages, id, values) ?? format(english, id, values) ?? id;

  #words(problem) {
    const words = describe(problem, this.messages);
    return problem.poolMessage ? `${words}\n${problem.poolMessage}` : words;
  }

  #announce(text) { if (this.#shown.announcer) this.#shown.announcer.textContent = text; }

  /** Says why a person waits, once, and shows the seconds until what comes then, which are not spoken. */
  #sayWait(element, id, seconds) {
    const text = this.#t(seconds > 0 ? id : 'wait.now', { seconds });
    if (!element.querySelector('[aria-hidden]')) this.#announce(text);
    say(element, h('span', { 'aria-hidden': 'true' }, text));
  }

  #emit(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  // Screens.

  #go(view) {
    this.#left.abort();
    this.#left = new AbortController();
    if (view !== this.#view) {
      this.#view = view;
      this.#form = undefined;
      this.#announce(''); // A screen reader must not find what an earlier view said.
      this.#emit('viewchange', { view });
    }
    return this.#left.signal;
  }

  #show(state) {
    this.#state = state;
    this.#render();
  }

  #render() {
    const t = this.#t;
    const view = this.#view;
    const root = this.shadowRoot;
    const level = Math.min(5, Math.max(1, Number(this.headingLevel) || 2));
    const focused = root.activeElement;
    const { heading: old, announcer = h('p', { class: 'unseen', role: 'status' }) } = this.#shown;
    const heading = old?.localName === `h${level}` ? old : h(`h${level}`, { part: 'heading', tabindex: '-1' });
    heading.textContent = t(`${view.replace('-', '_')}.title`);
    const { nodes, ...shown } = this.#body(this.#state, `h${level + 1}`);
    const footer = this.#links();
    const lead = view === 'set-up' && this.#state.name !== 'done' && h('p', { class: 'lead', part: 'lead' }, t('set_up.lead'));
    root.replaceChildren(heading, ...[lead, ...nodes, footer.length > 0 && h('footer', { class: 'links' }, footer), announcer].filter(Boolean));
    this.#shown = { ...shown, heading, announcer };
    if (this.#given.messages?.lang) this.lang = this.#given.messages.lang;
    // What had the focus is gone, but for a field that is there again.
    const field = (focused?.id && root.getElementById(focused.id)) || (this.#state.name === 'prove' && this.#form.input);
    if (focused || this.#wantsFocus) (field || heading).focus();
    this.#wantsFocus = false;
    this.#tick();
  }

  #body(state, sub) {
    const t = this.#t;
    const about = { t, sub, setUp: () => this.#start(), change: (on) => this.#change(on) };
    switch (state.name) {
      case 'waiting': return views.waiting(about, state);
      case 'status': return views.status(about, state);
      case 'invite': return views.invite({ ...about, skip: () => this.#skip(state) }, { ...state, banner: this.view === 'banner' });
      case 'failed': return views.failed(about, { ...state, text: state.id ? t(state.id) : this.#words(state.problem) });
      case 'ended': return views.failed(about, { text: state.id ? t(state.id) : this.#words(state.problem), again: () => this.#signInAgain(state), label: 'ended.sign_in' });
      case 'scan': {
        const named = this.#shown.device?.value ?? '';
        const form = this.#formWith(h(sub, {}, h('label', { for: 'code' }, t('set_up.enter'))), t('set_up.finish'));
        const device = h('input', { id: 'device', part: 'input', maxlength: '128', autocomplete: 'off', placeholder: t('set_up.device_example') });
        device.value = named;
        const phone = matchMedia('(pointer: coarse) and (max-width: 44rem)').matches;
        const made = views.scan({ ...about, phone, form, device, copy: (...args) => this.#copy(...args), appStoreHref: this.appStoreHref, googlePlayHref: this.googlePlayHref }, state);
        return { ...made, device };
      }
      case 'prove': {
        const form = this.#formWith(h('label', { for: 'code' }, t('prove.code')), t('prove.submit'), true);
        return views.prove({ ...about, form, device: this.#signIn.device, account: this.accountName ?? this.username ?? this.#signIn.username });
      }
      default: return views.done(about, { id: 'set_up.done' });
    }
  }

  /** The form of this screen. It outlives other words, with the code that is typed or checked in it. */
  #formWith(label, submit, wide) {
    this.#form ??= codeForm({ wide, onCode: (code) => {
      this.#sent = this.#view === 'prove' ? this.#answer(code) : this.#verify(code);
      return this.#sent;
    } });
    this.#form.read({ t: this.#t, label, submit });
    return this.#form;
  }

  #links() {
    const t = this.#t;
    const { name } = this.#state;
    if (['status', 'invite'].includes(this.#view) || name === 'done') return [];
    return [
      name === 'scan' && !this.#signIn && button('link', t('set_up.renew'), () => this.#start({ renew: true })),
      this.lostPhoneHref && h('a', { class: 'link', part: 'link', href: this.lostPhoneHref }, t('set_up.lost_phone')),
      button('link', t(this.#view === 'prove' ? 'prove.cancel' : 'set_up.cancel'), () => this.#cancel()),
    ].filter(Boolean);
  }

  #cancel() {
    if (this.#signIn || this.view === 'set-up') return this.#emit('cancel');
    return this.#invites ? this.#showInvite() : this.#showStatus();
  }

  /** Digits go into the field of the code when nothing else takes them. */
  #typed = (event) => {
    const focused = this.shadowRoot.activeElement ?? document.activeElement;
    const taken = focused?.matches?.('input, textarea, select, [contenteditable]') || (document.activeElement !== document.body && document.activeElement !== this);
    if (!['scan', 'prove'].includes(this.#state.name) || taken || event.ctrlKey || event.altKey || event.metaKey || !/^\p{Nd}$/u.test(event.key)) return;
    this.#form.input.focus();
  };

  // Calls.

  /** Calls the service for this screen, and hands on what it refuses. */
  async #call(action, refused, waitAt) {
    const { signal } = this.#left;
    const onWait = (problem, seconds) => {
      const element = waitAt?.() ?? this.#shown.text;
      if (element && !signal.aborted) this.#sayWait(element, `wait.${problem.code}`, seconds);
    };
    try {
      const reply = await action({ signal, onWait });
      if (!signal.aborted) return reply;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof Problem)) throw error;
      this.#emit('problem', { problem: error });
      refused(error);
    }
    return undefined;
  }

  #fail(problem, again) {
    if (signInHelps(problem)) return this.#end({ problem });
    if (startWanted.includes(problem.code)) return this.#show({ name: 'failed', problem, again: () => this.#start({ renew: !this.#signIn }), label: 'set_up.renew' });
    return this.#show({ name: 'failed', problem, again: passes(problem) ? again : undefined, label: 'failed.try_again' });
  }

  /** Only another sign-in helps. The page is told; whoever comes back to this one sees why. */
  #end(why) {
    this.#left.abort();
    const state = { name: 'ended', ...why };
    this.#show(state);
    this.#signInAgain(state);
  }

  #signInAgain({ problem, id }) {
    this.#emit('sign-in-again', { code: problem?.code ?? 'session_expired', reason: id ? this.#t(id) : this.#words(problem), codeReusableIn: this.codeReusableIn });
  }

  // Status.

  async #showStatus({ notice, problem, canSwitchOn = false } = {}) {
    this.#go('status');
    this.#show({ name: 'waiting', id: 'status.loading' });
    if (notice) this.#announce(this.#t(notice));
    const mfa = await this.#call((how) => this.#client.getMfa(how), (refused) => this.#fail(refused, () => this.#showStatus({ notice, problem, canSwitchOn })));
    if (mfa) this.#showMfa({ mfa, notice, problem, canSwitchOn });
  }

  #showMfa(state) {
    this.#show({ name: 'status', ...state });
    this.#emit('status', { mfa: state.mfa });
  }

  // The invitation to set an app up: a page, or a banner.

  get #invites() { return ['invite', 'banner'].includes(this.view); }

  /** Shows nothing until the service has said what is wanted, and nothing where nothing is. */
  async #showInvite() {
    const signal = this.#go('invite');
    this.#clear();
    const mfa = await this.#call((how) => this.#client.getMfa(how), (refused) => {
      // A banner is no reason to trouble anybody.
      if (this.view === 'invite' || signInHelps(refused)) this.#fail(refused, () => this.#showInvite());
    });
    if (!mfa || signal.aborted) return;
    this.#emit('status', { mfa });
    if (mfa.next === 'none') return this.#emit('continue', { next: mfa.next, skipped: false });
    this.#show({ name: 'invite', next: mfa.next });
  }

  #skip({ next }) {
    this.#clear();
    this.#emit('continue', { next, skipped: true });
  }

  /** Takes everything off the screen. */
  #clear() {
    this.#state = { name: 'idle' };
    this.shadowRoot.replaceChildren();
    this.#shown = {};
  }

  async #change(enabled) {
    const before = this.#state;
    this.#show({ name: 'waiting', id: enabled ? 'status.switching_on' : 'status.switching_off' });
    const mfa = await this.#call((how) => this.#client.setTotpPreference({ enabled, preferred: enabled }, how), (problem) => {
      if (signInHelps(problem)) return this.#end({ problem });
      return this.#show({ ...before, notice: undefined, problem: this.#words(problem) });
    });
    if (!mfa) return;
    this.#showMfa({ mfa, canSwitchOn: !mfa.totp.enabled });
    this.#announce(this.#t(enabled ? 'status.switched_on' : 'status.switched_off'));
  }

  // Setting up.

  async #start({ renew = false } = {}) {
    this.#go('set-up');
    this.#form = undefined;
    this.#show({ name: 'waiting', id: 'set_up.loading' });
    // In mid-sign-in nobody has said yet who the person is.
    const accountName = this.accountName ?? (this.#signIn && (this.username ?? this.#signIn.username));
    const request = { ...(accountName && { accountName }), ...(this.#signIn ? { session: this.#signIn.session } : { renew }) };
    const enrollment = await this.#call((how) => this.#client.startTotp(request, how), (problem) => this.#fail(problem, () => this.#start({ renew })));
    if (!enrollment) return;
    if (this.#signIn) this.#signIn.session = enrollment.session;
    this.#show({ name: 'scan', enrollment, end: Date.now() + enrollment.expiresIn * 1000 });
  }

  /** Starts the clocks of what is shown. They end when it is shown anew. */
  #tick() {
    this.#clock?.abort();
    this.#clock = new AbortController();
    const signal = AbortSignal.any([this.#left.signal, this.#clock.signal]);
    const state = this.#state;
    if (state.name === 'scan') this.#countEnrollment(state, signal);
    if (state.name === 'prove' && this.codeReusableIn) this.#countUsedCode(signal);
  }

  async #countEnrollment({ end }, signal) {
    const { timer } = this.#shown;
    await countDown(end, signal, (left, before) => {
      timer.textContent = this.#t(this.#signIn ? 'set_up.time_left_sign_in' : 'set_up.time_left', { time: minutesAndSeconds(left) });
      const moment = moments.find((m) => left <= m && before > m);
      if (moment) this.#announce(this.#t(moment < 60 ? 'set_up.seconds_left' : 'set_up.minutes_left', { seconds: moment, minutes: moment / 60 }));
    });
    // What comes of a code that was sent in time counts.
    await Promise.allSettled([this.#sent]);
    if (signal.aborted) return;
    this.#left.abort();
    if (this.#signIn) this.#end({ id: 'set_up.expired_sign_in' });
    else this.#show({ name: 'failed', id: 'set_up.expired', again: () => this.#start({ renew: true }), label: 'set_up.renew' });
  }

  async #verify(code) {
    const deviceName = this.#shown.device.value.trim();
    const { clientId, username, session } = this.#signIn ?? {};
    const request = { code, ...(deviceName && { deviceName }), ...(this.#signIn && { session, username, clientId }) };
    const result = await this.#call((how) => this.#client.verifyTotp(request, how), (problem) => this.#refusedCode(problem), () => this.#waitAtForm());
    if (!result) return;
    this.#hasSetUp = true;
    await this.#finish(result);
  }

  /** What came of a right code, or of an answer to a challenge. */
  async #finish(result) {
    if (result.codeReusableIn) this.codeReusableIn = result.codeReusableIn;
    const { codeReusableIn } = this;
    switch (result.outcome) {
      case 'enabled':
        this.#go('status');
        this.#showMfa({ mfa: result.mfa, notice: 'set_up.done' });
        this.#announce(this.#t('set_up.done'));
        return this.#emit('enabled', { mfa: result.mfa, codeReusableIn });
      case 'signed_in':
        this.#left.abort();
        if (this.#view === 'set-up') this.#show({ name: 'done' });
        this.#state = { name: 'done' };
        return this.#emit('signed-in', { tokens: result.tokens, codeReusableIn });
      case 'challenge':
        return this.#follow(result.challenge);
      default: // verified: the code was right and the sign-in did not go on
        this.#signIn.session = result.session;
        return this.#completeSetUp();
    }
  }

  async #completeSetUp() {
    const { device, ...answer } = this.#signIn;
    this.#show({ name: 'waiting', id: 'set_up.signing_in' });
    const result = await this.#call((how) => this.#client.answerChallenge({ challenge: 'MFA_SETUP', ...answer }, how), (problem) => this.#fail(problem, () => this.#completeSetUp()));
    if (result) await this.#finish(result);
  }

  #waitAtForm() { return this.#form.node.querySelector('#code-error'); }

  #refusedCode(problem) {
    const { code, variant } = problem;
    if (wrongCode.includes(code) || wrongCode.includes(`${code}.${variant}`)) return this.#form.wrong(this.#advice(problem));
    if (code === 'verified_not_enabled') return this.#switchOn(problem);
    if (code === 'too_many_requests') return this.#rest(problem);
    if (passes(problem)) return this.#form.lost(this.#words(problem));
    return this.#fail(problem);
  }

  #advice(problem) {
    const words = h('p', {}, this.#words(problem));
    return problem.clockSkewSeconds ? [words, h('p', {}, this.#t('clock.iphone')), h('p', {}, this.#t('clock.android'))] : [words];
  }

  /** After too many codes another one is wanted when the time is over. */
  async #rest({ retryAfter = 1, variant }) {
    const form = this.#form;
    form.rest(true);
    const id = variant === 'codes' ? 'wait.codes' : 'wait.code';
    await countDown(Date.now() + retryAfter * 1000, this.#left.signal, (left) => { if (left) this.#sayWait(this.#waitAtForm(), id, left); });
    form.rest(false);
    if (!this.#left.signal.aborted) form.tell(this.#t('code.now'));
  }

  /** The code was right; only switching on is missing, and needs no other code. */
  async #switchOn({ retryAfter = 1 }) {
    this.#show({ name: 'waiting', id: 'set_up.switching_on' });
    await countDown(Date.now() + retryAfter * 1000, this.#left.signal, () => {});
    if (this.#left.signal.aborted) return;
    const mfa = await this.#call((how) => this.#client.setTotpPreference({ enabled: true, preferred: true }, how), (problem) => {
      if (signInHelps(problem)) return this.#end({ problem });
      return this.#showStatus({ problem: this.#words(problem), canSwitchOn: true });
    });
    if (mfa) await this.#finish({ outcome: 'enabled', mfa });
  }

  async #copy(secret, from, key) {
    try {
      await navigator.clipboard.writeText(secret);
      from.textContent = this.#t('set_up.copied');
      this.#announce(this.#t('set_up.key_copied'));
      setTimeout(() => { from.textContent = this.#t('set_up.copy'); }, 2000);
    } catch {
      // Without the right to write to the clipboard the key is selected instead.
      key.closest('details').open = true;
      getSelection().selectAllChildren(key);
      this.#announce(this.#t('set_up.key_selected'));
    }
  }

  // Signing in.

  /** What Cognito asks for next leads to a screen. */
  async #follow(challenge) {
    const { name, session, parameters = {} } = challenge;
    // Cognito wants its own name for the user in the answers, which is not what the
    // person signed in with where that was an e-mail address.
    this.#signIn = { clientId: this.clientId, username: parameters.USER_ID_FOR_SRP ?? this.username, session, device: parameters.FRIENDLY_DEVICE_NAME };
    if (name === 'MFA_SETUP') return this.#start();
    this.#go('prove');
    this.#form = undefined;
    if (name === 'SOFTWARE_TOKEN_MFA') return this.#show({ name: 'prove' });
    if (name !== 'SELECT_MFA_TYPE') {
      this.#show({ name: 'failed', id: 'unknown_challenge' });
      return this.#emit('challenge', { challenge });
    }
    this.#show({ name: 'waiting', id: 'status.loading' });
    const { device, ...answer } = this.#signIn;
    const result = await this.#call((how) => this.#client.answerChallenge({ challenge: name, answer: 'SOFTWARE_TOKEN_MFA', ...answer }, how), (problem) => this.#fail(problem, () => this.#follow(challenge)));
    if (result) await this.#finish(result);
  }

  async #answer(code) {
    const { device, ...answer } = this.#signIn;
    const result = await this.#call((how) => this.#client.answerChallenge({ challenge: 'SOFTWARE_TOKEN_MFA', code, ...answer }, how), (problem) => this.#refusedCode(problem), () => this.#waitAtForm());
    if (result) await this.#finish(result);
  }

  /** A code works once: whoever has just enrolled must wait for the next one. */
  async #countUsedCode(signal) {
    const { used } = this.#shown;
    this.#announce(this.#t('prove.used_spoken'));
    await countDown(this.#reusableAt, signal, (seconds) => say(used, seconds && this.#t('prove.used', { seconds })));
  }
}

// Each attribute is a property too.
for (const attribute of attributes) {
  Object.defineProperty(MfaEnrollment.prototype, property(attribute), {
    configurable: true,
    enumerable: true,
    get() { return this.getAttribute(attribute) ?? undefined; },
    set(value) {
      if (value === undefined || value === null) this.removeAttribute(attribute);
      else this.setAttribute(attribute, value);
    },
  });
}
