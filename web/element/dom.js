/** An element with attributes, listeners (onclick and the like) and children; what is missing is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false && child !== ''));
  return element;
}

/** A button by its look: primary, danger, link, or none of these. */
export function button(look, text, onclick, attributes) {
  return h('button', { type: 'button', class: look, part: look && look !== 'link' ? `button ${look}` : look || 'button', onclick, ...attributes }, text);
}

/** Shows an element with these words, or hides it when there are none. */
export function say(element, ...content) {
  const words = content.flat().filter(Boolean);
  element.replaceChildren(...words);
  element.hidden = words.length === 0;
}
