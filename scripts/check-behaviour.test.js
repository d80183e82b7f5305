import assert from 'node:assert/strict';
import { test } from 'node:test';

import { complaints, namedTests } from './check-behaviour.js';
import { nodeResults, rustResults } from './test-results.js';

const numbers = [...Array(16).keys()].map((n) => `S${n + 1}`).concat([...Array(7).keys()].map((n) => `P${n + 1}`));
const page = numbers.map((number) => `| ${number} | text | \`test_of_${number.toLowerCase()}\` |`).join('\n');
const passed = numbers.map((number) => `module::test_of_${number.toLowerCase()}`);

test('a page whose tests have all passed is accepted', () => {
  assert.deepEqual(complaints(page, { passed, failed: [], skipped: [] }), []);
});

test('a named test that failed, was skipped or never ran is a complaint', () => {
  const results = { passed: passed.slice(3), failed: [passed[0]], skipped: [passed[1]] };
  assert.deepEqual(complaints(page, results), [
    'S1: test_of_s1 failed',
    'S2: test_of_s2 was skipped',
    'S3: test_of_s3 did not run',
  ]);
});

test('a behaviour without a test is a complaint, unless it waits for the isolated server', () => {
  const without = page.replace('`test_of_s4`', 'none').replace('`test_of_s13`', 'later');
  assert.deepEqual(complaints(without, { passed, failed: [], skipped: [] }), ['S4 names no test']);
});

test('a behaviour that is not on the page is a complaint', () => {
  const without = page.replace(/^\| P7.*$/m, '');
  assert.deepEqual(complaints(without, { passed, failed: [], skipped: [] }), ['P7 is missing from the page']);
});

test('tests are found below headings too, and other code is none', () => {
  const tests = namedTests('## S1 Local only\n\n- `a::keys_stay_here`, see `Session` and `ui: a row says so`\n\n## Notes\n`not_a_test`');
  assert.deepEqual([...tests], [['S1', ['a::keys_stay_here', 'ui: a row says so']]]);
});

test('outcomes are read from the output of cargo', () => {
  const output = [
    '     Running unittests src/lib.rs (target/debug/deps/keyquay_vault-1a2b)',
    'test a::b_c ... ok',
    'test d ... FAILED',
    '     Running tests/two_devices.rs (target/debug/deps/two_devices-3c4d)',
    'test e - should panic ... ok',
    'test f ... ignored, why',
  ].join('\n');
  assert.deepEqual(rustResults(output), [
    { name: 'lib::a::b_c', outcome: 'ok' },
    { name: 'lib::d', outcome: 'FAILED' },
    { name: 'two_devices::e', outcome: 'ok' },
    { name: 'two_devices::f', outcome: 'ignored' },
  ]);
});

test('outcomes are read from the output of node', () => {
  const tap = "TAP version 13\n# Subtest: one\nok 1 - one\n  ---\n  duration_ms: 1\n  ...\nnot ok 2 - two\n  ---\n  type: 'test'\n  ...\n"
    + "    ok 1 - inner\n      ---\n      duration_ms: 1\n      ...\nok 3 - group\n  ---\n  type: 'suite'\n  ...\nok 4 - four # SKIP why\n";
  assert.deepEqual(nodeResults(tap), [
    { name: 'one', outcome: 'ok' },
    { name: 'two', outcome: 'FAILED' },
    { name: 'inner', outcome: 'ok' },
    { name: 'four', outcome: 'ignored' },
  ]);
});
