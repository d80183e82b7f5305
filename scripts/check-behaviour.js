// Usage: node scripts/check-behaviour.js docs/behaviour.md RESULTS
//
// Fails unless every behaviour is held by tests that have passed in this run. A behaviour is a table row or a heading
// that starts with its number (`| S1 |`, `## S1`); up to the next one, each code span that reads like a test is one:
// `a_name_with_underscores`, with or without its modules, or `ui: a sentence` for a test of the screens.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { readResults } from './test-results.js';

const BEHAVIOURS = [
  ...Array.from({ length: 16 }, (_, index) => `S${index + 1}`),
  ...Array.from({ length: 7 }, (_, index) => `P${index + 1}`),
];
/** The isolated server of a later version holds these; all others are held now. */
const MAY_WAIT = new Set(['S13', 'S14']);

/**
 * @param {string} page Markdown
 * @returns {Map<string, string[]>} behaviour → the tests it names
 */
export function namedTests(page) {
  /** @type {Map<string, string[]>} */
  const tests = new Map();
  let current = '';
  for (const line of page.split('\n')) {
    const start = /^(?:\|\s*|#+\s+)\W*([SP]\d+)\b/.exec(line);
    if (start) {
      current = start[1];
      if (!tests.has(current)) tests.set(current, []);
    } else if (/^#/.test(line)) {
      current = '';
    }
    if (!current) continue;
    for (const [, span] of line.matchAll(/`([^`]+)`/g)) {
      if (/^(?:\w+::)*[a-z0-9]+(?:_[a-z0-9]+){2,}$/.test(span) || span.startsWith('ui: ')) {
        tests.get(current)?.push(span);
      }
    }
  }
  return tests;
}

/**
 * @param {string} page
 * @param {{ passed: string[], failed: string[], skipped: string[] }} results
 * @returns {string[]} one sentence for each thing that is wrong
 */
export function complaints(page, results) {
  const tests = namedTests(page);
  const isIn = (names, test) =>
    names.some((name) => (test.startsWith('ui: ') ? name === test.slice(4) : name === test || name.endsWith(`::${test}`)));
  const wrong = [];
  for (const behaviour of BEHAVIOURS) {
    const named = tests.get(behaviour);
    if (!named) wrong.push(`${behaviour} is missing from the page`);
    else if (named.length === 0 && !MAY_WAIT.has(behaviour)) wrong.push(`${behaviour} names no test`);
  }
  for (const [behaviour, named] of tests) {
    for (const test of named) {
      if (isIn(results.failed, test)) wrong.push(`${behaviour}: ${test} failed`);
      else if (isIn(results.skipped, test)) wrong.push(`${behaviour}: ${test} was skipped`);
      else if (!isIn(results.passed, test)) wrong.push(`${behaviour}: ${test} did not run`);
    }
  }
  return wrong;
}

function main(page, folder) {
  const wrong = complaints(readFileSync(page, 'utf8'), readResults(folder));
  for (const sentence of wrong) console.error(sentence);
  if (wrong.length > 0) process.exit(1);
  console.log(`Every behaviour of ${page} is held by tests that have passed.`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [page, folder] = process.argv.slice(2);
  main(page, folder);
}
