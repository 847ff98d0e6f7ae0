const digit = /^\p{Nd}$/u;

/** A decimal digit of any script as one of 0 to 9: each script has ten in a row. */
function plain(char) {
  const at = char.codePointAt(0);
  let zero = at;
  while (digit.test(String.fromCodePoint(zero - 1))) zero--;
  return String((at - zero) % 10);
}

/**
 * What was typed as a code: digits of every script become 0 to 9, and what people
 * and keyboards put between them goes. The rest stays for the person to see.
 */
export function normalizeCode(text) {
  return text.normalize('NFKC').replace(/[\s\p{Cf}\p{Pd}.,·]/gu, '').replace(/\p{Nd}/gu, plain);
}
