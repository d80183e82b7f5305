// @ts-check

/**
 * A key for a field that a person named: letters and digits, unlike the others.
 *
 * @param {string} label
 * @param {Set<string>} taken
 */
export function freeKey(label, taken) {
  const words = label.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^A-Za-z0-9]+/g, ' ').trim().split(' ').filter(Boolean);
  const base = words.map((word, index) => (index === 0 ? word.toLowerCase() : word[0].toUpperCase() + word.slice(1).toLowerCase())).join('') || 'field';
  let key = base;
  for (let number = 2; taken.has(key); number += 1) key = `${base}${number}`;
  return key;
}

/**
 * @param {string} text
 * @returns {string[]} without repetition, in the order typed
 */
export function splitTags(text) {
  return [...new Set(text.split(',').map((tag) => tag.trim()).filter(Boolean))];
}
