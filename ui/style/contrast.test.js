import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

/** The colours of a block, by the name of their token. */
function colours(block) {
  return Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

const light = colours(css.slice(0, css.indexOf('@media')));
const dark = colours(css.slice(css.indexOf(':root[data-theme="dark"]')));
const darkBySystem = colours(css.slice(css.indexOf('@media'), css.indexOf(':root[data-theme="dark"]')));

/** Relative luminance, WCAG 2.2. */
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [more, less] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (more + 0.05) / (less + 0.05);
}

const TEXT = [
  ...['page', 'surface', 'hover'].flatMap((ground) => ['text', 'muted', 'accent', 'amber', 'red'].map((text) => [text, ground])),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['on-red', 'red'],
  ['on-red', 'red-hover'],
  ['text', 'accent-soft'],
  ['muted', 'accent-soft'],
  ['text', 'amber-soft'],
  ['amber', 'amber-soft'],
  ['accent', 'amber-soft'],
  ['red', 'red-soft'],
];
const SHAPES = [
  ['control-line', 'surface'],
  ['control-line', 'page'],
  ['accent', 'page'],
  ['accent', 'surface'],
];

for (const [theme, palette] of Object.entries({ light, dark })) {
  test(`text has a contrast of 4.5 in the ${theme} theme (WCAG 2.2, 1.4.3)`, () => {
    for (const [text, ground] of TEXT) {
      const found = contrast(palette[text], palette[ground]);
      assert.ok(found >= 4.5, `${text} on ${ground}: ${found.toFixed(2)}`);
    }
  });

  test(`controls and focus rings have a contrast of 3 in the ${theme} theme (WCAG 2.2, 1.4.11)`, () => {
    for (const [shape, ground] of SHAPES) {
      const found = contrast(palette[shape], palette[ground]);
      assert.ok(found >= 3, `${shape} on ${ground}: ${found.toFixed(2)}`);
    }
  });
}

test('dark is the same, whether the system or the person chose it', () => {
  assert.deepEqual(darkBySystem, dark);
});
