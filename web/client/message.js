// Messages by language. A catalogue maps an id to a sentence, or to one sentence for
// each plural form of its first number; {name} stands for a value.

const english = { lang: 'en' };

/** The message of this id with its values, or nothing where the catalogue has none. */
export function format(catalogue, id, values = {}) {
  let text = catalogue[id];
  const lang = catalogue.lang ?? english.lang;
  if (typeof text === 'object') {
    const [, counted] = /\{(\w+)\}/.exec(text.other);
    text = text[new Intl.PluralRules(lang).select(values[counted])] ?? text.other;
  }
  return text?.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name];
    return typeof value === 'number' ? new Intl.NumberFormat(lang).format(value) : (value ?? all);
  });
}

/** What a problem says to people: by code and variant, by code, or the service's own English. */
export function describe(problem, catalogue = english) {
  const { code, variant, detail } = problem;
  const values = { ...problem };
  const ids = [`${code}.${variant}`, code];
  const skew = problem.clockSkewSeconds;
  if (skew) {
    // Which way the clock is off is another sentence and not another word in it.
    ids.unshift(`${code}.${variant}.${skew > 0 ? 'fast' : 'slow'}`);
    values.minutes = Math.max(1, Math.round(Math.abs(skew) / 60));
    values.hours = Math.round(Math.abs(skew) / 900) / 4;
  }
  const id = ids.find((known) => catalogue[known]);
  return id ? format(catalogue, id, values) : detail;
}
