// What the test runners wrote in this run: `rust.txt` (cargo test), `node.tap` (node --test), `skipped.txt`
// (what the window tests noted that they could not do here).

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} folder
 * @returns {{ passed: string[], failed: string[], skipped: string[] }} names of tests; Rust's with their modules
 */
export function readResults(folder) {
  const read = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  const all = [...rustResults(read('rust.txt')), ...nodeResults(read('node.tap'))];
  const skipped = read('skipped.txt').split('\n').filter(Boolean).map((line) => line.split(': ')[0]);
  const skips = new Set(skipped);
  return {
    passed: all.filter((test) => test.outcome === 'ok' && !skips.has(test.name)).map((test) => test.name),
    failed: all.filter((test) => test.outcome === 'FAILED').map((test) => test.name),
    skipped: [...skips, ...all.filter((test) => test.outcome === 'ignored').map((test) => test.name)],
  };
}

/** Lines such as `test first_window::the_window_opens ... ok`. */
export function rustResults(output) {
  return [...output.matchAll(/^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b/gm)]
    .map(([, name, outcome]) => ({ name, outcome }));
}

/** Lines such as `    ok 1 - a row names its exchange # SKIP`; what only groups others is left out. */
export function nodeResults(tap) {
  const lines = [...tap.matchAll(/^ *(not ok|ok) \d+ - (.*?)( # (?:SKIP|TODO).*)?$(?:\n *---[^]*?\n *\.\.\.$)?/gm)];
  return lines
    .filter(([block]) => !/^ *type: 'suite'$/m.test(block))
    .map(([, outcome, name, directive]) => ({
      name,
      outcome: directive ? 'ignored' : outcome === 'ok' ? 'ok' : 'FAILED',
    }));
}
