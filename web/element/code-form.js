import { normalizeCode } from 'mfa-enrollment-client';
import { button, h, say } from './dom.js';

const isCode = (text) => /^[0-9]{6}$/.test(text);

/**
 * The form for a code, sent as soon as six digits are there. It keeps the focus in
 * its field: while a code is checked, or nobody may enter one, the field can only
 * be read. It stays as it is when its words change, which read gives it.
 */
export function codeForm({ wide, onCode }) {
  let t;
  let label;
  let submit;
  const hint = h('p', { class: 'hint', id: 'code-hint' });
  const error = h('div', { class: 'notice bad', part: 'notice error', id: 'code-error', role: 'alert', hidden: true });
  const input = h('input', {
    id: 'code', class: wide ? 'code wide' : 'code', part: 'input code', dir: 'ltr', inputmode: 'numeric', autocomplete: 'one-time-code',
    autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': 'code-hint code-error', oninput: typed, oncompositionend: typed,
  });
  const send = h('button', { class: wide ? 'primary wide' : 'primary', part: 'button primary' });
  const node = h('form', { novalidate: true, onsubmit: (event) => { event.preventDefault(); check(); } },
    h('div', { class: 'code-row' }, input, !wide && send), hint, error, wide && send);
  let checking = false;

  function read(words) {
    label?.remove();
    ({ t, label, submit } = words);
    node.prepend(label);
    hint.textContent = t('code.hint');
    send.textContent = checking ? t('code.checking') : submit;
  }

  function typed(event) {
    if (event.isComposing) return;
    const text = normalizeCode(input.value);
    if (input.value !== text) input.value = text;
    clear();
    if (isCode(text)) check();
  }

  async function check() {
    if (checking || input.readOnly) return;
    if (!isCode(input.value)) {
      const longer = /^[0-9]{7,}$/.test(input.value);
      return wrong([longer ? t('code.too_long', { count: input.value.length }) : t('code.incomplete')], { keep: true });
    }
    clear();
    checking = true;
    lock(true);
    send.textContent = t('code.checking');
    try {
      await onCode(input.value);
    } finally {
      checking = false;
      send.textContent = submit;
      if (!node.resting) lock(false);
    }
  }

  function lock(locked) {
    input.readOnly = locked;
    if (locked) send.setAttribute('aria-disabled', 'true');
    else send.removeAttribute('aria-disabled');
  }

  function clear() {
    say(error);
    input.removeAttribute('aria-invalid');
  }

  /** Says what is wrong with the code, and lets the next one be typed at once. */
  function wrong(content, { keep = false } = {}) {
    say(error, content);
    input.setAttribute('aria-invalid', 'true');
    if (!keep) input.value = '';
    input.focus();
    show();
  }

  /** On a phone little is to be seen above the keyboard. */
  const show = () => error.scrollIntoView({ block: 'nearest' });

  return {
    node, input, read, wrong, clear,
    /** Says that nobody knows about the code, which can be sent again. */
    lost(text) {
      say(error, h('p', {}, text), button('', t('failed.try_again'), () => { input.focus(); check(); }));
      show();
    },
    /** Says something without calling the code wrong. */
    tell: (...content) => say(error, ...content),
    /** Nobody may enter a code for a while. */
    rest(resting) {
      node.resting = resting;
      lock(resting);
      if (resting) input.value = '';
    },
  };
}
