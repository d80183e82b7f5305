// What the test runners wrote in this run: `rust.txt` (cargo test), `node.tap` (node --test), `skipped.txt`
// (what the window tests noted that they could not do here).

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} folder
 * @returns {{ passed: string[], failed: string[], skipped: string[] }} names of tests; Rust's with their file and modules
 */
export function readResults(folder) {
  const read = (name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  const all = [...rustResults(read('rust.txt')), ...nodeResults(read('node.tap'))];
  const notes = read('skipped.txt').split('\n').filter(Boolean).map((line) => line.split(': ')[0]);
  const isNoted = (test) => notes.some((note) => test.name === note || test.name.endsWith(`::${note}`));
  const names = (outcome) => all.filter((test) => outcome(test)).map((test) => test.name);
  return {
    passed: names((test) => test.outcome === 'ok' && !isNoted(test)),
    failed: names((test) => test.outcome === 'FAILED'),
    skipped: names((test) => test.outcome === 'ignored' || (test.outcome === 'ok' && isNoted(test))),
  };
}

/**
 * Lines such as `test first_window::the_window_opens ... ok`, after one that says `Running tests/main.rs (…)`; the test's
 * name is then `main::first_window::the_window_opens`.
 */
export function rustResults(output) {
  let file = '';
  const results = [];
  for (const line of output.split('\n')) {
    const running = /^ +(?:Running (?:unittests )?\S*?|Doc-tests )(\w+)(?:\.rs \(.*)?$/.exec(line);
    if (running) file = running[1];
    const test = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b/.exec(line);
    if (test) results.push({ name: file ? `${file}::${test[1]}` : test[1], outcome: test[2] });
  }
  return results;
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
