// A field for the six digits: it keeps digits alone, so that "123 456" can be
// pasted, and submits its form when the last one is there.

export function codeField(input, { onInput }) {
  input.addEventListener('input', () => {
    const digits = input.value.replace(/\D/g, '').slice(0, 6);
    if (input.value !== digits) input.value = digits;
    onInput();
    if (digits.length === 6) input.form.requestSubmit();
  });
}

/** Says what is wrong with the code, and lets the next one be typed at once. */
export function wrongCode(input, error, content) {
  error.replaceChildren(content);
  error.hidden = false;
  input.setAttribute('aria-invalid', 'true');
  input.value = '';
  input.focus();
}

/** Takes the words about the last code away. */
export function clearError(input, error) {
  error.hidden = true;
  error.replaceChildren();
  input.removeAttribute('aria-invalid');
}
