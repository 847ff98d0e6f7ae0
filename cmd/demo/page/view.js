// The little DOM work that the screens share.

/** Puts the screen's template on the page and returns its element. */
export function show(name) {
  const view = clone(name);
  document.querySelector('#screen').replaceChildren(view);
  return view;
}

/** A fresh copy of a template's one element. */
export function clone(name) {
  return document.querySelector(`template#${name}`).content.firstElementChild.cloneNode(true);
}

/** The elements of a view by their data-part. */
export function parts(view) {
  return Object.fromEntries([...view.querySelectorAll('[data-part]')].map((e) => [e.dataset.part, e]));
}

/** Shows an element with this text, or hides it when there is none. */
export function say(element, text) {
  element.textContent = text ?? '';
  element.hidden = !text;
}

/** Tells a screen reader something, without moving to it. */
export function announce(text) {
  document.querySelector('#announcer').textContent = text;
}

/** Runs an action once at a time: a second click while it works does nothing. */
export function once(action) {
  let working = false;
  return async (...args) => {
    if (working) return;
    working = true;
    try {
      await action(...args);
    } finally {
      working = false;
    }
  };
}
