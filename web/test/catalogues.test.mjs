// Every language has the same messages with the same placeholders, and the element
// has a message for whatever it says.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

const placeholders = (message) => ((message.other ?? message).match(/\{\w+\}/g) ?? []).sort();

for (const name of ['client', 'element']) {
  const load = async (lang) => (await import(`mfa-enrollment-${name}/messages/${lang}.js`)).default;
  const english = await load('en');
  const files = await readdir(new URL(`../${name}/messages`, import.meta.url));
  assert.deepEqual(files.sort(), ['de.js', 'en.js', 'es.js', 'ja.js']);

  for (const file of files) {
    test(`${name}: ${file} is complete`, async () => {
      const lang = file.replace('.js', '');
      const catalogue = await load(lang);
      assert.equal(catalogue.lang, lang);
      // A plural has a sentence for each form that the numbers shown here have.
      const rules = new Intl.PluralRules(lang);
      const forms = [...new Set(Array.from({ length: 900 }, (_, n) => rules.select(n)))].sort();
      assert.deepEqual(Object.keys(catalogue).sort(), Object.keys(english).sort());
      for (const [id, message] of Object.entries(catalogue)) {
        assert.deepEqual(placeholders(message), placeholders(english[id]), id);
        assert.ok(id === 'lang' || lang === 'en' || message !== english[id] || /^set_up\.(app_store|google_play)$|^prove\.code$/.test(id), `${id} is English`);
        if (message.other && id !== 'code.too_long') assert.deepEqual(Object.keys(message).sort(), forms, id);
      }
    });
  }
}

test('the element has a message for whatever it says', async () => {
  const { default: english } = await import('mfa-enrollment-element/messages/en.js');
  for (const file of ['element.js', 'views.js', 'code-form.js']) {
    const source = await readFile(new URL(`../element/${file}`, import.meta.url), 'utf8');
    for (const [, id] of source.matchAll(/'((?:status|set_up|code|clock|prove|wait|failed|ended)\.\w+)'/g)) assert.ok(english[id], `${file}: ${id}`);
  }
});

test('a server can import the element and the component, and draw the component', async () => {
  assert.equal(typeof (await import('mfa-enrollment-element')).MfaEnrollment, 'function');
  const { MfaEnrollment } = await import('mfa-enrollment-react');
  const { createElement } = await import('react');
  const { renderToString } = await import('react-dom/server');
  assert.equal(renderToString(createElement(MfaEnrollment, { className: 'c', token: 'secret' })), '<mfa-enrollment class="c"></mfa-enrollment>');
});
