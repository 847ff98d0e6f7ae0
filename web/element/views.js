// What each state looks like. A view makes nodes and knows nothing of the service.

import { button, h } from './dom.js';

export function waiting({ t }, { id }) {
  const text = h('p', {}, t(id));
  return { nodes: [h('div', { class: 'waiting' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text)], text };
}

export function failed({ t }, { text, again, label }) {
  return { nodes: [h('div', { class: 'notice bad', part: 'notice error', role: 'alert' }, h('p', {}, text), again && button('', t(label), again))] };
}

export function done({ t }, { id }) {
  return { nodes: [h('p', { class: 'notice good', part: 'notice', role: 'status' }, t(id))] };
}

/** Which factors are on, and what can be done about it. */
export function status({ t, sub, setUp, change }, { mfa: { totp }, canSwitchOn, notice, problem }) {
  const dialog = h('dialog', { part: 'dialog', 'aria-labelledby': 'off-title', onclose: () => { if (dialog.returnValue === 'off') change(false); dialog.returnValue = ''; } },
    h(sub, { id: 'off-title' }, t('status.off_question')),
    h('p', {}, t('status.off_text')),
    h('form', { method: 'dialog', class: 'actions' },
      h('button', { part: 'button', value: 'keep' }, t('status.keep')),
      h('button', { part: 'button danger', class: 'danger', value: 'off' }, t('status.switch_off'))));
  const summary = totp.preferred ? 'status.preferred' : 'status.available';
  return {
    nodes: [
      notice && h('p', { class: 'notice good', part: 'notice' }, t(notice)),
      problem && h('div', { class: 'notice bad', part: 'notice error', role: 'alert' }, problem),
      h('div', { class: 'factor' },
        h('div', {}, h(sub, {}, t('status.app')), h('p', { class: 'hint' }, t(totp.enabled ? summary : 'status.password_only'))),
        h('span', { class: totp.enabled ? 'badge on' : 'badge', part: 'badge' }, t(totp.enabled ? 'status.on' : 'status.off'))),
      h('div', { class: 'actions' },
        !totp.enabled && !canSwitchOn && button('primary', t('status.set_up'), setUp),
        !totp.enabled && canSwitchOn && button('', t('status.switch_on'), () => change(true)),
        h('slot', { name: 'actions' }),
        (totp.enabled || canSwitchOn) && button('', t('status.new_phone'), setUp),
        totp.enabled && button('danger', t('status.switch_off'), () => dialog.showModal())),
      dialog,
    ],
  };
}

/** Asks a person without a second factor to set an app up: as a page or as a banner, with a way past it unless it is required. */
export function invite({ t, setUp, skip }, { next, banner }) {
  const required = next === 'require';
  return {
    nodes: [h('div', { class: banner && 'banner' },
      h('p', { class: 'lead', part: 'lead' }, t(required ? 'invite.require' : 'invite.offer')),
      h('div', { class: 'actions' },
        button('primary', t('status.set_up'), setUp),
        !required && button('', t('invite.skip'), skip)))],
  };
}

/** The QR code and the first code. On a phone the link comes first, since its camera cannot see its own screen. */
export function scan({ t, sub, phone, form, appStoreHref, googlePlayHref, copy, device }, { enrollment: { qrCode, otpauthUri, issuer, accountName, secret } }) {
  const timer = h('p', { class: 'timer', part: 'timer', role: 'timer', 'aria-live': 'off' });
  const picture = h('div', { class: 'plate' }, h('img', { src: qrCode, alt: t('set_up.picture'), part: 'picture' }));
  const key = h('code', { class: 'key', part: 'key', dir: 'ltr', 'aria-label': t('set_up.key'), 'aria-describedby': 'key-hint', role: 'group' },
    secret.match(/.{1,4}/g).flatMap((group) => [h('span', {}, group), h('wbr')]));
  const copyButton = button('', t('set_up.copy'), () => copy(secret, copyButton, key));
  const nothing = h('p', { class: 'hint', role: 'status', hidden: true });
  // Nobody is told whether an app opened the link. Where none did, the page stays in front.
  const opened = () => setTimeout(() => { if (!document.hidden) { nothing.textContent = t('set_up.nothing_opened'); nothing.hidden = false; } }, 1500);
  const open = h('a', { class: phone ? 'button open' : 'open', part: 'link', href: otpauthUri, onclick: opened }, t(phone ? 'set_up.open' : 'set_up.open_here'));
  const byHand = h('details', {}, h('summary', {}, t('set_up.by_hand')),
    h('p', { class: 'hint', id: 'key-hint' }, t('set_up.key_hint')), key, !phone && copyButton, !phone && h('p', {}, open), !phone && nothing);
  const account = h('dl', { class: 'account' }, h('dt', {}, t('set_up.service')), h('dd', {}, issuer), h('dt', {}, t('set_up.account')), h('dd', {}, accountName));
  const stores = (appStoreHref || googlePlayHref) && h('p', { class: 'hint stores' }, h('span', {}, t('set_up.get_app')),
    appStoreHref && h('a', { href: appStoreHref, target: '_blank', rel: 'noreferrer' }, t('set_up.app_store')),
    googlePlayHref && h('a', { href: googlePlayHref, target: '_blank', rel: 'noreferrer' }, t('set_up.google_play')));
  const name = [h('label', { for: 'device' }, t('set_up.device')), device];
  const first = phone
    ? [h('div', { class: 'pair' }, open, copyButton), nothing, timer]
    : [h('p', {}, t('set_up.scan')), stores, h('div', { class: 'scan' }, picture, timer), account, byHand];
  const later = phone
    ? [h('details', {}, h('summary', {}, t('set_up.other_device')), h('p', { class: 'hint' }, t('set_up.other_device_text')), picture), byHand, account, stores, ...name]
    : name;
  return {
    nodes: [h('div', { class: phone ? 'steps phone' : 'steps' },
      h('div', { class: 'step' }, h(sub, {}, t('set_up.add')), first),
      h('div', { class: 'step' }, form.node, later))],
    timer,
  };
}

/** A code at sign-in. */
export function prove({ t, form, device, account }) {
  const used = h('p', { class: 'notice', part: 'notice', hidden: true });
  return { nodes: [h('p', { class: 'lead', part: 'lead' }, t(device ? 'prove.lead_device' : 'prove.lead', { device, account })), used, form.node], used };
}
