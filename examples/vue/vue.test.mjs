// Compiles the component as @vitejs/plugin-vue does, and renders it on a server.
import assert from 'node:assert/strict';
import { readFile, writeFile, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { createSSRApp } from 'vue';
import { compileScript, parse } from 'vue/compiler-sfc';
import { renderToString } from 'vue/server-renderer';

const source = await readFile(new URL('SetUp.vue', import.meta.url), 'utf8');
const compilerOptions = { isCustomElement: (tag) => tag === 'mfa-enrollment' };
const { descriptor, errors } = parse(source, { filename: 'SetUp.vue', templateParseOptions: compilerOptions });
const compile = (ssr) => compileScript(descriptor, { id: 'set-up', inlineTemplate: true, templateOptions: { ssr, ssrCssVars: [], compilerOptions } }).content;

test('the component is rendered on a server, without the token', async (t) => {
  assert.deepEqual(errors, []);
  const made = new URL(`made-${process.pid}.mjs`, import.meta.url);
  t.after(() => rm(made));
  await writeFile(made, compile(true));
  const { default: SetUp } = await import(made);
  const html = await renderToString(createSSRApp(SetUp, { service: 'https://mfa.example', accessToken: () => 'a-token' }));
  assert.match(html, /<mfa-enrollment view="set-up" base-url="https:\/\/mfa\.example"[^>]*><\/mfa-enrollment>/);
  assert.doesNotMatch(html, /a-token/);
});

test('in a browser the token is a property, and the events reach the component', () => {
  const code = compile(false);
  assert.match(code, /"?\.token"?:/);
  assert.match(code, /onEnabled:/);
  assert.match(code, /onSignInAgain:/);
  assert.doesNotMatch(code, /resolveComponent/);
});
